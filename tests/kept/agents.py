"""What agents are made of: clients, messages, documents, settings; and plots."""

from __future__ import annotations

from tests.kept.kind import Kind

DUMPED = "type(it) is type(other) and it.model_dump() == other.model_dump()"
CLIENT = "type(it) is type(other) and it.base_url == other.base_url"

DOCUMENTS = (
    Kind("pydantic", "model of the notebook", "from pydantic import BaseModel\nclass User(BaseModel):\n    name: str\n    tags: list[str] = []\nit = User(name='a')", "it.model_dump() == {'name': 'a', 'tags': []} and type(it).model_validate({'name': 'b'}).name == 'b'"),
    Kind("pydantic", "private attributes and extra", "from pydantic import BaseModel, ConfigDict, PrivateAttr\nclass M(BaseModel):\n    model_config = ConfigDict(extra='allow')\n    _p: int = PrivateAttr(1)\nit = M(a=2)\nit._p = 5", "it.a == 2 and it._p == 5"),
    Kind("pydantic", "type adapter", "from pydantic import TypeAdapter\nit = TypeAdapter(list[int])", "it.validate_python(['1']) == [1]"),
    Kind("pydantic", "validators and nested", "from pydantic import BaseModel, field_validator\nclass A(BaseModel):\n    n: int\n    @field_validator('n')\n    @classmethod\n    def twice(cls, v):\n        return v * 2\nclass B(BaseModel):\n    a: A\nit = B(a={'n': 2})", "it.a.n == 4 and type(it)(a={'n': 3}).a.n == 6"),
    Kind("attrs", "class of the notebook", "import attrs\n@attrs.define\nclass P:\n    x: int\n    y: list = attrs.Factory(list)\nit = P(1)", "attrs.asdict(it) == {'x': 1, 'y': []}"),
    Kind("msgspec", "struct of the notebook", "import msgspec\nclass S(msgspec.Struct):\n    a: int\n    b: str = 'x'\nit = S(1)", "msgspec.to_builtins(it) == {'a': 1, 'b': 'x'}"),
    Kind("sqlalchemy", "mapped object", "from sqlalchemy import String\nfrom sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column\nclass Base(DeclarativeBase): pass\nclass User(Base):\n    __tablename__ = 'u'\n    id: Mapped[int] = mapped_column(primary_key=True)\n    name: Mapped[str] = mapped_column(String(9))\nit = User(id=1, name='a')", "(it.id, it.name, type(it).__tablename__) == (1, 'a', 'u')"),
    Kind("sqlalchemy", "select", "import sqlalchemy as sa\nt = sa.table('t', sa.column('a'))\nit = sa.select(t).where(t.c.a > 1)", "str(it) == str(other)"),
    Kind("sqlalchemy", "engine on a file", "import sqlalchemy as sa\nit = sa.create_engine('sqlite:///kept_engine.db')", "str(it.url) == 'sqlite:///kept_engine.db' and it.connect().exec_driver_sql('select 1').scalar() == 1", "rebuilt"),
    Kind("beautifulsoup4", "soup", "from bs4 import BeautifulSoup\nit = BeautifulSoup('<p class=\"a\">x<b>y</b></p>', 'html.parser')", "str(it) == str(other) and it.p.b.text == 'y'"),
    Kind("lxml", "tree", "from lxml import etree\nit = etree.fromstring('<a b=\"1\"><c/></a>')", "__import__('lxml.etree', fromlist=['x']).tostring(it) == b'<a b=\"1\"><c/></a>'"),
    Kind("jinja2", "environment", "import jinja2\nit = jinja2.Environment(trim_blocks=True)", "it.trim_blocks and it.from_string('{{ a }}').render(a=1) == '1'"),
    Kind("jinja2", "template", "import jinja2\nit = jinja2.Template('hi {{ who }}')", "it.render(who='x') == 'hi x'"),
    Kind("pyyaml", "loaded document", "import yaml\nit = yaml.safe_load('a: [1, 2]\\nb: 2026-01-01')"),
    Kind("openpyxl", "workbook", "import openpyxl\nit = openpyxl.Workbook()\nit.active['A1'] = 42", "it.active['A1'].value == 42 and it.sheetnames == ['Sheet']"),
    Kind("python-docx", "document", "import docx\nit = docx.Document()\n_ = it.add_paragraph('hi')", "[p.text for p in it.paragraphs] == ['hi']"),
    Kind("rdflib", "graph", "import rdflib\nit = rdflib.Graph()\n_ = it.add((rdflib.URIRef('urn:a'), rdflib.URIRef('urn:b'), rdflib.Literal(1)))", "set(it) == set(other)"),
    Kind("orjson", "fragment", "import orjson\nit = orjson.loads(b'{\"a\": 1}')"),
    Kind("jsonschema", "validator", "import jsonschema\nit = jsonschema.Draft202012Validator({'type': 'integer'})", "it.is_valid(3) and not it.is_valid('x')"),
    Kind("regex", "pattern", "import regex\nit = regex.compile(r'\\p{Lu}+')", "it.pattern == other.pattern and it.match('AB').group() == 'AB'"),
    Kind("python-dateutil", "rule and relative delta", "from dateutil import relativedelta\nit = relativedelta.relativedelta(months=1)"),
    Kind("pytz", "zone", "import pytz\nit = pytz.timezone('Europe/Berlin')", "it is other"),
    Kind("pendulum", "datetime", "import pendulum\nit = pendulum.datetime(2026, 1, 2, tz='Europe/Paris')"),
    Kind("arrow", "moment", "import arrow\nit = arrow.Arrow(2026, 1, 2)"),
    Kind("sortedcontainers", "sorted dict", "from sortedcontainers import SortedDict\nit = SortedDict(b=1, a=2)", "list(it) == ['a', 'b'] and it == other"),
    Kind("pyrsistent", "persistent map", "from pyrsistent import m, v\nit = m(a=v(1, 2))"),
    Kind("frozendict", "frozendict", "from frozendict import frozendict\nit = frozendict(a=1)"),
    Kind("bidict", "bidict", "from bidict import bidict\nit = bidict(a=1)", "it == other and it.inverse[1] == 'a'"),
    Kind("cachetools", "TTL cache", "import cachetools\nit = cachetools.LRUCache(maxsize=3)\nit['a'] = 1", "dict(it) == {'a': 1} and it.maxsize == 3"),
    Kind("toolz", "curried function", "import toolz\nit = toolz.curry(lambda a, b: a + b)(1)", "it(2) == 3"),
    Kind("more-itertools", "bucket of values", "import more_itertools\nit = list(more_itertools.chunked(range(5), 2))"),
    Kind("tenacity", "retrying", "import tenacity\nit = tenacity.Retrying(stop=tenacity.stop_after_attempt(2))", "it(lambda: 5) == 5 and it.stop.max_attempt_number == 2"),
    Kind("rich", "table", "import rich.table\nit = rich.table.Table('a')\nit.add_row('x')", "it.row_count == 1 and it.columns[0].header == 'a'"),
    Kind("markdown-it-py", "parser", "from markdown_it import MarkdownIt\nit = MarkdownIt()", "it.render('*a*') == other.render('*a*')"),
    Kind("faker", "faker", "from faker import Faker\nit = Faker()\nit.seed_instance(3)\n_ = it.name()", "it.name() == other.name()"),
    Kind("joblib", "memory", "import joblib\nit = joblib.Memory('kept_joblib', verbose=0)", "it.location == other.location", "equal"),
    Kind("narwhals", "frame", "import narwhals as nw, pandas as pd\nit = nw.from_native(pd.DataFrame({'a': [1]}))", "it.to_native().equals(other.to_native())"),
    Kind("tqdm", "finished bar", "import tqdm\nit = tqdm.tqdm(range(3), disable=True)\nfor _ in it: pass", "it.n == other.n"),
    Kind("duckdb", "relation's rows", "import duckdb\nit = duckdb.sql('select 1 as a').fetchall()"),
)

CLIENTS = (
    Kind("openai", "client", "import openai\nit = openai.OpenAI(base_url='http://127.0.0.1:9/v1', api_key='unused', max_retries=5)", CLIENT + " and it.max_retries == 5", "rebuilt"),
    Kind("openai", "async client", "import openai\nit = openai.AsyncOpenAI(base_url='http://127.0.0.1:9/v1', api_key='unused')", CLIENT, "rebuilt"),
    Kind("openai", "answer", "from openai.types.chat import ChatCompletion\nit = ChatCompletion.model_validate({'id': 'a', 'choices': [{'finish_reason': 'stop', 'index': 0, 'message': {'content': 'hi', 'role': 'assistant'}}], 'created': 1, 'model': 'm', 'object': 'chat.completion'})", DUMPED),
    Kind("anthropic", "client", "import anthropic\nit = anthropic.Anthropic(base_url='http://127.0.0.1:9', api_key='unused')", CLIENT, "rebuilt"),
    Kind("anthropic", "answer", "from anthropic.types import Message\nit = Message.model_validate({'id': 'a', 'content': [{'type': 'text', 'text': 'hi'}], 'model': 'm', 'role': 'assistant', 'stop_reason': 'end_turn', 'type': 'message', 'usage': {'input_tokens': 1, 'output_tokens': 2}})", DUMPED),
    Kind("httpx", "client", "import httpx\nit = httpx.Client(base_url='http://127.0.0.1:9', headers={'x-a': 'b'}, timeout=3)", "type(it) is type(other) and it.base_url == other.base_url and it.headers['x-a'] == 'b' and it.timeout == other.timeout", "rebuilt"),
    Kind("httpx", "response", "import httpx\nit = httpx.Response(200, json={'a': 1})", "it.status_code == 200 and it.json() == {'a': 1}"),
    Kind("requests", "session", "import requests\nit = requests.Session()\nit.headers['x-a'] = 'b'", "it.headers['x-a'] == 'b'"),
    Kind("requests", "response", "import requests\nit = requests.Response()\nit.status_code = 200\nit._content = b'{\"a\": 1}'", "it.status_code == 200 and it.json() == {'a': 1}"),
    Kind("langchain-core", "messages", "from langchain_core.messages import AIMessage, HumanMessage\nit = [HumanMessage('a'), AIMessage('b', tool_calls=[{'name': 't', 'args': {'x': 1}, 'id': '1'}])]"),
    Kind("langchain-core", "prompt template", "from langchain_core.prompts import ChatPromptTemplate\nit = ChatPromptTemplate.from_messages([('human', 'hi {who}')])", "it.format(who='x') == other.format(who='x')"),
    Kind("langchain-core", "tool", "from langchain_core.tools import tool\n@tool\ndef it(a: int) -> int:\n    'Add one.'\n    return a + 1", "it.invoke({'a': 1}) == 2 and it.args == other.args"),
    Kind("langchain-core", "runnable chain", "from langchain_core.runnables import RunnableLambda\nit = RunnableLambda(lambda a: a + 1) | RunnableLambda(lambda a: a * 2)", "it.invoke(1) == 4"),
    Kind("langgraph", "compiled graph", "from typing import TypedDict\nfrom langgraph.graph import END, START, StateGraph\nclass State(TypedDict):\n    n: int\ndef up(state):\n    return {'n': state['n'] + 1}\ng = StateGraph(State)\ng.add_node('up', up)\ng.add_edge(START, 'up')\ng.add_edge('up', END)\nit = g.compile()", "it.invoke({'n': 1}) == {'n': 2}"),
)

PLOTS = (
    Kind("matplotlib", "figure", "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nit, ax = plt.subplots()\n_ = ax.plot([1, 2, 3], label='a')\n_ = ax.set_title('t')", "it.axes[0].get_title() == 't' and list(it.axes[0].lines[0].get_ydata()) == [1, 2, 3]"),
    Kind("matplotlib", "axes", "import matplotlib\nmatplotlib.use('agg')\nimport matplotlib.pyplot as plt\nfig, it = plt.subplots()\n_ = it.bar(['a', 'b'], [1, 2])", "len(it.patches) == 2 and it.figure is fig"),
    Kind("matplotlib", "colour map", "import matplotlib as mpl\nit = mpl.colormaps['viridis']", "it(0.5) == other(0.5)"),
    Kind("seaborn", "facet grid", "import matplotlib\nmatplotlib.use('agg')\nimport pandas as pd, seaborn as sns\nit = sns.FacetGrid(pd.DataFrame({'a': [1, 2], 'k': ['x', 'y']}), col='k')\n_ = it.map(sns.scatterplot, 'a', 'a')", "len(it.axes.flat) == 2 and it.data.equals(other.data)"),
    Kind("plotly", "figure", "import plotly.graph_objects as go\nit = go.Figure(go.Scatter(x=[1, 2], y=[3, 4]))"),
    Kind("altair", "chart", "import altair as alt, pandas as pd\nit = alt.Chart(pd.DataFrame({'a': [1, 2]})).mark_bar().encode(x='a:Q')", "it.to_dict() == other.to_dict()"),
    Kind("bokeh", "figure", "from bokeh.plotting import figure\nit = figure(title='t')\n_ = it.line([1, 2], [3, 4])", "it.title.text == 't' and len(it.renderers) == 1"),
    Kind("ipywidgets", "slider", "import ipywidgets\nit = ipywidgets.IntSlider(value=3, max=9)", "it.value == 3 and it.max == 9"),
    Kind("ipython", "display objects", "from IPython.display import HTML, Markdown\nit = [HTML('<b>a</b>'), Markdown('*b*')]", "[d.data for d in it] == ['<b>a</b>', '*b*']"),
)

ITERATORS = (
    Kind("iterators", "list iterator in the middle", "it = iter([1, 2, 3])\n_ = next(it)", "list(it) == [2, 3]"),
    Kind("iterators", "enumerate and zip", "it = [enumerate('ab'), zip([1], 'a')]", "[list(i) for i in it] == [[(0, 'a'), (1, 'b')], [(1, 'a')]]"),
    Kind("iterators", "map of a lambda", "it = map(lambda a: a + 1, [1, 2])", "list(it) == [2, 3]"),
    Kind("iterators", "count and cycle", "import itertools\nit = [itertools.count(5), itertools.cycle('ab')]\n_ = next(it[0])", "next(it[0]) == 6 and next(it[1]) == 'a'"),
    Kind("iterators", "chain and islice", "import itertools\nit = itertools.islice(itertools.chain([1], [2, 3]), 2)", "list(it) == [1, 2]"),
    Kind("iterators", "tee", "import itertools\na, b = itertools.tee([1, 2])\n_ = next(a)\nit = [a, b]", "[list(i) for i in it] == [[2], [1, 2]]"),
    Kind("iterators", "dict views", "d = {'a': 1}\nit = [d.keys(), d.items()]", "list(it[0]) == ['a'] and list(it[1]) == [('a', 1)]"),
    Kind("iterators", "reversed", "it = reversed([1, 2])", "list(it) == [2, 1]"),
)

LIVE = (
    Kind("live", "open file, reading", "open('kept_reading.txt', 'w').write('abcdef')\nit = open('kept_reading.txt')\n_ = it.read(2)", "it.read() == 'cdef'", "rebuilt"),
    Kind("live", "open file, appending", "it = open('kept_append.txt', 'a')\n_ = it.write('x')\nit.flush()", "it.mode == 'a' and it.writable() and not it.closed", "rebuilt"),
    Kind("live", "closed file", "it = open('kept_closed.txt', 'w')\nit.close()", "it.closed and it.name == 'kept_closed.txt'", "rebuilt"),
    Kind("live", "gzip file, reading", "import gzip\nwith gzip.open('kept.gz', 'wb') as f:\n    _ = f.write(b'abcdef')\nit = gzip.open('kept.gz')\n_ = it.read(2)", "it.read() == b'cdef'", "rebuilt"),
    Kind("live", "standard streams", "import sys\nit = sys.stdout", "hasattr(it, 'write') and it is sys.stdout", "rebuilt"),
    Kind("live", "logger", "import logging\nit = logging.getLogger('kept.logger')\nit.setLevel(10)", "it is logging.getLogger('kept.logger')", "rebuilt"),
    Kind("live", "logging handler", "import logging\nit = logging.StreamHandler()\nit.setLevel(30)", "it.level == 30", "rebuilt"),
    Kind("live", "sqlite in memory", "import sqlite3\nit = sqlite3.connect(':memory:')\n_ = it.execute('create table t as select 42 a')\nit.commit()", "it.execute('select a from t').fetchall() == [(42,)]", "rebuilt"),
    Kind("live", "sqlite on a file", "import sqlite3\nit = sqlite3.connect('kept.sqlite')\n_ = it.execute('create table if not exists t(a)')", "it.execute('select count(*) from t').fetchall() == [(0,)]", "rebuilt"),
    Kind("duckdb", "connection in memory", "import duckdb\nit = duckdb.connect()\n_ = it.execute('create table t as select 42 a')", "it.execute('select a from t').fetchall() == [(42,)]", "rebuilt"),
    Kind("live", "thread pool, idle", "from concurrent.futures import ThreadPoolExecutor\nit = ThreadPoolExecutor(3)", "it._max_workers == 3 and it.submit(int, '4').result() == 4", "rebuilt"),
    Kind("live", "thread, ended", "import threading\nit = threading.Thread(target=int)\nit.start()\nit.join()", expected="refused"),
    Kind("live", "socket", "import socket\nit = socket.socket()", expected="refused"),
    Kind("live", "process", "import subprocess\nit = subprocess.Popen(['true'])\n_ = it.wait()", expected="refused"),
    Kind("live", "event loop", "import asyncio\nit = asyncio.new_event_loop()", expected="refused"),
    Kind("live", "future with a result", "from concurrent.futures import Future\nit = Future()\nit.set_result(3)", "it.result() == 3"),
    Kind("live", "hash object", "import hashlib\nit = hashlib.sha256(b'a')", expected="refused"),
    Kind("live", "temporary directory", "import tempfile\nit = tempfile.TemporaryDirectory()", expected="refused"),
    Kind("live", "memory map", "import mmap\nit = mmap.mmap(-1, 10)", expected="refused"),
    Kind("live", "cursor", "import sqlite3\nit = sqlite3.connect(':memory:').execute('select 1')", expected="refused"),
    Kind("live", "ssl context", "import ssl\nit = ssl.create_default_context()", "type(it) is type(other) and it.verify_mode == other.verify_mode", "rebuilt"),
    Kind("live", "shared environment", "import os\nit = os.environ", "it is os.environ", "rebuilt"),
)

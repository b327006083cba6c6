"""Ways to ask a model, per SDK: what a plain cell sets up, and expressions to try.

Each expression gives plain data, so that what a replay gives can be compared. They are
texts because each runs as a durable cell, in whatever environment has the SDK.
"""

from __future__ import annotations

from typing import NamedTuple


class Sdk(NamedTuple):
    """One SDK: code that makes its clients from `URL`, and its shapes."""

    setup: str
    shapes: dict[str, str]


OPENAI = Sdk(
    """
import asyncio, openai, pydantic
client = openai.OpenAI(base_url=URL + "/v1", api_key="any")
azure = openai.AzureOpenAI(azure_endpoint=URL, api_key="any", api_version="1")
openai.api_key, openai.base_url = "any", URL + "/v1/"
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
SAY = dict(model="m", input="why?")
TOOL = dict(name="f", parameters=dict(type="object", properties=dict(q=dict(type="string"))))
class City(pydantic.BaseModel):
    name: str
    people: int
def of(ask):
    async def asking():
        async with openai.AsyncOpenAI(base_url=URL + "/v1", api_key="any") as c:
            return await ask(c)
    return asyncio.run(asking())
async def all_of(stream):
    return [x.to_dict() async for x in await stream]
async def helped(manager):
    async with manager as s:
        return [type(e).__name__ async for e in s]
async def raw(asking):
    got = await asking
    return got.status_code, got.text if isinstance(got.text, str) else got.text()
async def streamed(manager):
    async with manager as got:
        return [line async for line in got.iter_lines()]
async def several(c):
    asked = (c.chat.completions.create(**ASK) for _ in range(3))
    return [a.to_dict() for a in await asyncio.gather(*asked)]
async def dumped(asking):
    return (await asking).to_dict()
async def parsed(asking):
    return repr((await asking).choices[0].message.parsed)
def each(manager):
    with manager as s:
        return [type(e).__name__ for e in s]
def lines(manager):
    with manager as got:
        return got.status_code, list(got.iter_lines())
""",
    {
        "chat": "client.chat.completions.create(**ASK).to_dict()",
        "chat tools": "client.chat.completions.create(**ASK, tools=[dict(type='function', function=TOOL)]).to_dict()",
        "chat stream": "[c.to_dict() for c in client.chat.completions.create(**ASK, stream=True)]",
        "chat usage in the stream": "[c.to_dict() for c in client.chat.completions.create(**ASK, stream=True, stream_options=dict(include_usage=True))]",
        "chat stream helper": "each(client.chat.completions.stream(**ASK))",
        "chat parse": "repr(client.chat.completions.parse(**ASK, response_format=City).choices[0].message.parsed)",
        "chat raw": "client.chat.completions.with_raw_response.create(**ASK).text",
        "chat raw parsed": "client.chat.completions.with_raw_response.create(**ASK).parse().to_dict()",
        "chat streamed raw": "lines(client.chat.completions.with_streaming_response.create(**ASK))",
        "chat by post": "client.post('/chat/completions', cast_to=object, body=ASK)",
        "chat of the module": "openai.chat.completions.create(**ASK).to_dict()",
        "chat with options": "client.with_options(max_retries=0).chat.completions.create(**ASK).to_dict()",
        "chat on azure": "azure.chat.completions.create(**ASK).to_dict()",
        "responses": "client.responses.create(**SAY).to_dict()",
        "responses stream": "[e.to_dict() for e in client.responses.create(**SAY, stream=True)]",
        "responses stream helper": "each(client.responses.stream(**SAY))",
        "responses parse": "repr(client.responses.parse(**SAY, text_format=City).output_parsed)",
        "responses raw": "client.responses.with_raw_response.create(**SAY).text",
        "embeddings": "client.embeddings.create(model='m', input=['a', 'b']).to_dict()",
        "async chat": "of(lambda c: dumped(c.chat.completions.create(**ASK)))",
        "async stream": "of(lambda c: all_of(c.chat.completions.create(**ASK, stream=True)))",
        "async stream helper": "of(lambda c: helped(c.chat.completions.stream(**ASK)))",
        "async parse": "of(lambda c: parsed(c.chat.completions.parse(**ASK, response_format=City)))",
        "async raw": "of(lambda c: raw(c.chat.completions.with_raw_response.create(**ASK)))",
        "async streamed raw": "of(lambda c: streamed(c.chat.completions.with_streaming_response.create(**ASK)))",
        "async gather": "of(several)",
        "async responses": "of(lambda c: dumped(c.responses.create(**SAY)))",
        "async responses stream": "of(lambda c: all_of(c.responses.create(**SAY, stream=True)))",
        "async embeddings": "of(lambda c: dumped(c.embeddings.create(model='m', input='a')))",
    },
)

OVER_AIOHTTP = Sdk(
    OPENAI.setup
    + """
def of(ask):
    async def asking():
        over = openai.DefaultAioHttpClient()
        async with openai.AsyncOpenAI(base_url=URL + "/v1", api_key="any", http_client=over) as c:
            return await ask(c)
    return asyncio.run(asking())
""",
    {
        shape: OPENAI.shapes[shape]
        for shape in ("async chat", "async stream", "async gather")
    },
)

LEGACY = Sdk(
    OPENAI.setup
    + "\nimport httpx\nlegacy = client.with_options(http_client=httpx.Client())\n",
    {
        "a client of httpx": "legacy.chat.completions.create(**ASK).to_dict()",
        "its stream": "[c.to_dict() for c in legacy.chat.completions.create(**ASK, stream=True)]",
    },
)

ANTHROPIC = Sdk(
    """
import anthropic, asyncio, pydantic
claude = anthropic.Anthropic(base_url=URL, api_key="any")
ASK = dict(model="m", messages=[dict(role="user", content="why?")], max_tokens=2000)
TOOL = dict(name="f", description="d", input_schema=dict(type="object", properties=dict(q=dict(type="string"))))
class City(pydantic.BaseModel):
    name: str
ran = []
@anthropic.beta_tool
def weather(city: str) -> str:
    "Look it up."
    ran.append(city)
    return f"sunny in {city}"
@anthropic.beta_async_tool
async def aweather(city: str) -> str:
    "Look it up."
    return f"sunny in {city}"
async def run(runner):
    return [m.to_dict() async for m in runner]
async def parsed(asking):
    return repr((await asking).parsed_output)
def of(ask):
    async def asking():
        async with anthropic.AsyncAnthropic(base_url=URL, api_key="any") as c:
            return await ask(c)
    return asyncio.run(asking())
async def all_of(stream):
    return [x.to_dict() async for x in await stream]
async def helped(manager):
    async with manager as s:
        return (await s.get_final_message()).to_dict()
async def dumped(asking):
    return (await asking).to_dict()
def final(manager):
    with manager as s:
        return s.get_final_message().to_dict()
""",
    {
        "messages": "claude.messages.create(**ASK).to_dict()",
        "messages stream": "[e.to_dict() for e in claude.messages.create(**ASK, stream=True)]",
        "messages stream helper": "final(claude.messages.stream(**ASK))",
        "messages text stream": "''.join(claude.messages.stream(**ASK).__enter__().text_stream)",
        "messages tools": "claude.messages.create(**ASK, tools=[TOOL]).to_dict()",
        "messages thinking": "claude.messages.create(**ASK, thinking=dict(type='enabled', budget_tokens=1024)).to_dict()",
        "messages parse": "repr(claude.messages.parse(**ASK, output_format=City).parsed_output)",
        "messages raw": "claude.messages.with_raw_response.create(**ASK).text()",
        "count tokens": "claude.messages.count_tokens(model='m', messages=ASK['messages']).to_dict()",
        "beta": "claude.beta.messages.create(**ASK, betas=['a-1']).to_dict()",
        "beta stream": "final(claude.beta.messages.stream(**ASK))",
        "tool runner": "[m.to_dict() for m in claude.beta.messages.tool_runner(**ASK, tools=[weather])]",
        "async messages": "of(lambda c: dumped(c.messages.create(**ASK)))",
        "async stream": "of(lambda c: all_of(c.messages.create(**ASK, stream=True)))",
        "async stream helper": "of(lambda c: helped(c.messages.stream(**ASK)))",
        "async parse": "of(lambda c: parsed(c.messages.parse(**ASK, output_format=City)))",
        "async tool runner": "of(lambda c: run(c.beta.messages.tool_runner(**ASK, tools=[aweather])))",
        "async count tokens": "of(lambda c: dumped(c.messages.count_tokens(model='m', messages=ASK['messages'])))",
    },
)

TOGETHER = Sdk(
    """
import together
client = together.Together(base_url=URL, api_key="any")
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "client.chat.completions.create(**ASK).to_dict()",
        "stream": "[c.to_dict() for c in client.chat.completions.create(**ASK, stream=True)]",
    },
)

GROQ = Sdk(
    """
import groq
client = groq.Groq(base_url=URL, api_key="any")
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "client.chat.completions.create(**ASK).to_dict()",
        "stream": "[c.to_dict() for c in client.chat.completions.create(**ASK, stream=True)]",
    },
)

MISTRAL = Sdk(
    """
from mistralai.client import Mistral
client = Mistral(api_key="any", server_url=URL)
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "client.chat.complete(**ASK).model_dump(mode='json')",
        "stream": "[e.model_dump(mode='json') for e in client.chat.stream(**ASK)]",
    },
)

OLLAMA = Sdk(
    """
import ollama
client = ollama.Client(host=URL)
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "client.chat(**ASK).model_dump(mode='json')",
        "stream": "[c.model_dump(mode='json') for c in client.chat(**ASK, stream=True)]",
    },
)

COHERE = Sdk(
    """
import cohere
client = cohere.ClientV2(api_key="any", base_url=URL)
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "client.chat(**ASK).model_dump(mode='json')",
        "stream": "[e.model_dump(mode='json') for e in client.chat_stream(**ASK)]",
    },
)

HUGGINGFACE = Sdk(
    """
from huggingface_hub import InferenceClient
client = InferenceClient(base_url=URL + "/v1", api_key="any")
ASK = dict(model="m", messages=[dict(role="user", content="why?")])
""",
    {
        "chat": "repr(client.chat_completion(**ASK))",
        "stream": "repr(list(client.chat_completion(**ASK, stream=True)))",
    },
)

GOOGLE = Sdk(
    """
import asyncio
from google import genai
from google.genai import types
def made():
    return genai.Client(api_key="any", http_options=types.HttpOptions(base_url=URL))
client = made()
ASK = dict(model="g", contents="why?")
async def waiting():
    async with made().aio as aio:
        return (await aio.models.generate_content(**ASK)).model_dump(mode="json", exclude={"sdk_http_response"})
async def streaming():
    async with made().aio as aio:
        stream = await aio.models.generate_content_stream(**ASK)
        return [c.model_dump(mode="json", exclude={"sdk_http_response"}) async for c in stream]
""",
    {
        "sync": "client.models.generate_content(**ASK).model_dump(mode='json', exclude={'sdk_http_response'})",
        "sync stream": "[c.model_dump(mode='json', exclude={'sdk_http_response'}) for c in client.models.generate_content_stream(**ASK)]",
        "over aiohttp": "asyncio.run(waiting())",
        "stream over aiohttp": "asyncio.run(streaming())",
    },
)

BEDROCK = Sdk(
    """
import boto3
client = boto3.client(
    "bedrock-runtime", endpoint_url=URL, region_name="us-east-1",
    aws_access_key_id="any", aws_secret_access_key="any",
)
ASK = dict(modelId="m", messages=[dict(role="user", content=[dict(text="why?")])])
def said(answer):
    return {k: v for k, v in answer.items() if k != "ResponseMetadata"}
""",
    {
        "converse": "said(client.converse(**ASK))",
        "converse stream": "list(client.converse_stream(**ASK)['stream'])",
    },
)

LITELLM = Sdk(
    """
import asyncio, litellm
litellm.suppress_debug_info = True
ASK = dict(model="openai/m", messages=[dict(role="user", content="why?")], api_base=URL + "/v1", api_key="any")
CLAUDE = dict(ASK, model="anthropic/m", api_base=URL)
def said(answer):
    return answer.choices[0].message.content, answer.usage.total_tokens
async def waiting():
    return said(await litellm.acompletion(**CLAUDE))
""",
    {
        "openai": "said(litellm.completion(**ASK))",
        "anthropic": "said(litellm.completion(**CLAUDE))",
        "async": "asyncio.run(waiting())",
    },
)

SDKS = {
    "openai": OPENAI,
    "legacy": LEGACY,
    "over aiohttp": OVER_AIOHTTP,
    "anthropic": ANTHROPIC,
    "groq": GROQ,
    "together": TOGETHER,
    "mistralai": MISTRAL,
    "ollama": OLLAMA,
    "cohere": COHERE,
    "huggingface": HUGGINGFACE,
    "google": GOOGLE,
    "bedrock": BEDROCK,
    "litellm": LITELLM,
}
"""Every SDK by the name by which tests ask for it."""

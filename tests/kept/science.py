"""Arrays, frames, models and graphs."""

from __future__ import annotations

from tests.kept.kind import Kind

NP = "import numpy as np\n"
PD = "import pandas as pd\n"
SAME_ARRAY = "type(it) is type(other) and it.dtype == other.dtype and __import__('numpy').array_equal(it, other, equal_nan=it.dtype.kind in 'fc')"
SAME_FRAME = "type(it) is type(other) and (__import__('pandas').testing.assert_frame_equal(it, other, check_freq=True, check_flags=True), it.attrs == other.attrs)[1]"
SAME_SERIES = "type(it) is type(other) and __import__('pandas').testing.assert_series_equal(it, other) is None"
SAME_INDEX = "type(it) is type(other) and __import__('pandas').testing.assert_index_equal(it, other, exact=True) is None"
PREDICTS = "__import__('numpy').array_equal(it.predict([[1.0, 2.0], [3.0, 1.0]]), other.predict([[1.0, 2.0], [3.0, 1.0]])) and it.get_params() == other.get_params()"
FITTED = "X, y = [[0.0, 1.0], [1.0, 0.0], [2.0, 2.0], [3.0, 1.0]], [0, 1, 0, 1]\n"

ARRAYS = (
    Kind("numpy", "floats", NP + "it = np.linspace(0, 1, 1000)", SAME_ARRAY),
    Kind("numpy", "Fortran order", NP + "it = np.asfortranarray(np.arange(12).reshape(3, 4))", SAME_ARRAY + " and it.flags.f_contiguous"),
    Kind("numpy", "strided view", NP + "it = np.arange(20)[::3]", SAME_ARRAY),
    Kind("numpy", "view and its base", NP + "base = np.zeros(5)\nit = [base, base[1:3]]", "(it[0].__setitem__(1, 9.0), it[1][0] == 9.0)[1]"),
    Kind("numpy", "0-d and scalar", NP + "it = [np.array(3), np.float32(1.5)]", "type(it[0]) is np.ndarray and it[0].shape == () and type(it[1]) is np.float32 and it[1] == 1.5"),
    Kind("numpy", "structured with padding", NP + "it = np.array([(1, 2.5)], dtype=np.dtype([('a', 'i1'), ('b', 'f8')], align=True))", SAME_ARRAY),
    Kind("numpy", "objects", NP + "it = np.array([1, 'a', None, [2]], dtype=object)", "it.dtype == object and list(it) == list(other)"),
    Kind("numpy", "masked", NP + "it = np.ma.array([1, 2, 3], mask=[0, 1, 0])", "type(it) is type(other) and it.tolist() == [1, None, 3]"),
    Kind("numpy", "datetime64", NP + "it = np.array(['2026-01-01', 'NaT'], dtype='M8[ns]')", "it.dtype == other.dtype and str(it) == str(other)"),
    Kind("numpy", "strings", NP + "it = np.array(['a', 'bcd'])", "it.dtype == other.dtype and list(it) == list(other)"),
    Kind("numpy", "StringDType", NP + "it = np.array(['a', 'bcd'], dtype=np.dtypes.StringDType())", "it.dtype == other.dtype and list(it) == list(other)"),
    Kind("numpy", "big-endian", NP + "it = np.arange(5, dtype='>i4')", SAME_ARRAY),
    Kind("numpy", "read-only", NP + "it = np.arange(3)\nit.flags.writeable = False", SAME_ARRAY + " and not it.flags.writeable"),
    Kind("numpy", "Generator", NP + "it = np.random.default_rng(7)\n_ = it.random()", "it.random() == other.random()"),
    Kind("numpy", "RandomState", NP + "it = np.random.RandomState(7)\n_ = it.rand()", "it.rand() == other.rand()"),
    Kind("numpy", "dtype and ufunc", NP + "it = [np.dtype('M8[us]'), np.add, np.float64]", "it == other and it[1] is np.add"),
    Kind("numpy", "poly1d", NP + "it = np.poly1d([1, 2, 3])", "it(2) == 11"),
    Kind("numpy", "record array", NP + "it = np.rec.array([(1, 'a')], names='n,s')", "type(it) is type(other) and it.n[0] == 1 and it.s[0] == 'a'"),
    Kind("numpy", "memmap", NP + "import pathlib\nnp.arange(10, dtype='i4').tofile('kept_memmap.bin')\nit = np.memmap('kept_memmap.bin', dtype='i4', mode='r')", "list(it) == list(range(10))"),
    Kind("scipy", "sparse csr", "import scipy.sparse\nit = scipy.sparse.csr_array([[0, 1], [2, 0]])", "type(it) is type(other) and (it != other).nnz == 0"),
    Kind("scipy", "interpolator", "import scipy.interpolate\nit = scipy.interpolate.CubicSpline([0, 1, 2], [0, 1, 4])", "float(it(1.5)) == float(other(1.5))"),
    Kind("scipy", "frozen distribution", "import scipy.stats\nit = scipy.stats.norm(1, 2)", "it.cdf(1.5) == other.cdf(1.5)"),
    Kind("scipy", "optimise result", "import scipy.optimize\nit = scipy.optimize.minimize(lambda v: (v[0] - 1) ** 2, [0.0])", "it.fun == other.fun and it.x[0] == other.x[0]"),
    Kind("scipy", "KD tree", "import numpy as np, scipy.spatial\nit = scipy.spatial.cKDTree(np.arange(10.0).reshape(5, 2))", "it.query([1, 1])[1] == other.query([1, 1])[1]"),
)

FRAMES = (
    Kind("pandas", "numbers and text", PD + "it = pd.DataFrame({'a': [1, 2], 'b': [0.5, None], 'c': ['x', None]})", SAME_FRAME),
    Kind("pandas", "objects", PD + "it = pd.DataFrame({'a': pd.Series([1, 'x', [2], None], dtype=object)})", SAME_FRAME),
    Kind("pandas", "categorical, ordered", PD + "it = pd.DataFrame({'a': pd.Categorical(['lo', 'hi'], categories=['lo', 'mid', 'hi'], ordered=True)})", SAME_FRAME),
    Kind("pandas", "nullable dtypes", PD + "it = pd.DataFrame({'a': pd.array([1, None], dtype='Int64'), 'b': pd.array([True, None], dtype='boolean')})", SAME_FRAME),
    Kind("pandas", "Arrow dtypes", PD + "it = pd.DataFrame({'a': pd.array([1, None], dtype='int64[pyarrow]'), 'b': pd.array(['x', None], dtype='string[pyarrow]')})", SAME_FRAME),
    Kind("pandas", "MultiIndex", PD + "it = pd.DataFrame({'v': [1, 2]}, index=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['k', 'n']))", SAME_FRAME),
    Kind("pandas", "time zone and frequency", PD + "it = pd.DataFrame({'v': range(3)}, index=pd.date_range('2026-01-01', periods=3, freq='h', tz='Europe/Berlin'))", SAME_FRAME),
    Kind("pandas", "integer column labels", PD + "it = pd.DataFrame([[1, 2.5]], columns=[0, 7])", SAME_FRAME),
    Kind("pandas", "duplicate columns", PD + "it = pd.DataFrame([[1, 'a']], columns=['x', 'x'])", SAME_FRAME),
    Kind("pandas", "attrs and flags", PD + "it = pd.DataFrame({'a': [1]})\nit.attrs['source'] = 'x.csv'\nit.flags.allows_duplicate_labels = False", SAME_FRAME),
    Kind("pandas", "empty with dtypes", PD + "it = pd.DataFrame({'a': pd.Series(dtype='float32'), 'b': pd.Series(dtype='datetime64[ns]')})", SAME_FRAME),
    Kind("pandas", "complex", PD + "it = pd.DataFrame({'a': [1 + 2j, 3j]})", SAME_FRAME),
    Kind("pandas", "sparse", PD + "it = pd.DataFrame({'a': pd.arrays.SparseArray([0, 0, 1])})", SAME_FRAME),
    Kind("pandas", "Series with a name", PD + "it = pd.Series([1.5, 2.5], index=['a', 'b'], name='v')", SAME_SERIES),
    Kind("pandas", "Series of periods", PD + "it = pd.Series(pd.period_range('2026-01', periods=2, freq='M'))", SAME_SERIES),
    Kind("pandas", "Series of lists and dicts", PD + "it = pd.Series([[1, 2], {'a': 1}])", SAME_SERIES),
    Kind("pandas", "interval index", PD + "it = pd.interval_range(0, 3)", SAME_INDEX),
    Kind("pandas", "scalars", PD + "it = [pd.Timestamp('2026-01-01', tz='UTC'), pd.Timedelta('1h'), pd.Period('2026-01'), pd.NaT, pd.NA]", "it[:3] == other[:3] and it[3] is pd.NaT and it[4] is pd.NA"),
    Kind("pandas", "groupby", PD + "it = pd.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]}).groupby('k')", "it.sum().equals(other.sum())"),
    Kind("pandas", "rolling window", PD + "it = pd.Series([1.0, 2.0, 3.0]).rolling(2)", "it.mean().equals(other.mean())"),
    Kind("pandas", "Styler", PD + "it = pd.DataFrame({'a': [1, 2]}).style.format('{:.1f}')", "it.data.equals(other.data) and '1.0' in it.to_html()"),
    Kind("pandas", "two frames sharing one", PD + "df = pd.DataFrame({'a': [1, 2]})\nit = {'x': df, 'y': df}", "it['x'] is it['y'] and it['x'].equals(other['x'])"),
    Kind("polars", "frame", "import polars as pl\nit = pl.DataFrame({'a': [1, None], 'b': ['x', 'y']})", "it.equals(other) and it.schema == other.schema"),
    Kind("polars", "nested and categorical", "import polars as pl\nit = pl.DataFrame({'a': [[1, 2], [3]], 'b': pl.Series(['u', 'v'], dtype=pl.Categorical), 'c': [{'k': 1}, {'k': 2}]})", "it.schema == other.schema and it.rows() == other.rows()"),
    Kind("polars", "series and expression", "import polars as pl\nit = [pl.Series('s', [1, 2]), pl.col('a') + 1]", "it[0].equals(other[0]) and it[1].meta.eq(other[1])"),
    Kind("polars", "lazy frame", "import polars as pl\nit = pl.LazyFrame({'a': [1, 2]}).filter(pl.col('a') > 1)", "it.collect().equals(other.collect())"),
    Kind("pyarrow", "table", "import pyarrow as pa\nit = pa.table({'a': [1, None], 'b': ['x', 'y']})", "type(it) is type(other) and it.equals(other)"),
    Kind("pyarrow", "slice and dictionary", "import pyarrow as pa\nit = [pa.array(range(10))[3:6], pa.array(['a', 'b', 'a']).dictionary_encode()]", "all(a.equals(b) for a, b in zip(it, other))"),
    Kind("pyarrow", "schema with metadata", "import pyarrow as pa\nit = pa.schema([('a', pa.int64())], metadata={'k': 'v'})", "it.equals(other, check_metadata=True)"),
    Kind("xarray", "dataset", "import xarray as xr\nit = xr.Dataset({'t': (('x',), [1.0, 2.0])}, coords={'x': [10, 20]}, attrs={'u': 'K'})", "it.identical(other)"),
    Kind("dask", "delayed", "import dask\nit = dask.delayed(sum)([1, 2, 3])", "it.compute(scheduler='sync') == 6"),
    Kind("dask", "array", "import dask.array as da\nit = da.ones((4, 4), chunks=2) * 2", "float(it.sum().compute(scheduler='sync')) == 32.0"),
    Kind("geopandas", "frame with a projection", "import geopandas as gpd\nfrom shapely.geometry import Point\nit = gpd.GeoDataFrame({'n': [1]}, geometry=[Point(1, 2)], crs='EPSG:4326')", "type(it) is type(other) and it.equals(other) and it.crs == other.crs"),
    Kind("shapely", "polygon", "import shapely\nit = shapely.Polygon([(0, 0), (1, 0), (1, 1)])"),
    Kind("h5py", "empty reference", "import h5py\nit = h5py.Empty('f')"),
    Kind("astropy", "quantity and time", "import astropy.units as u\nfrom astropy.time import Time\nit = [3 * u.km, Time('2026-01-01', scale='utc')]", "it[0] == other[0] and it[0].unit == other[0].unit and it[1] == other[1]"),
    Kind("pint", "quantity", "import pint\nureg = pint.UnitRegistry()\nit = 3 * ureg.metre", "it.magnitude == 3 and str(it.units) == 'meter'"),
    Kind("uncertainties", "number", "from uncertainties import ufloat\nit = ufloat(1.0, 0.1) * 2", "(it.nominal_value, it.std_dev) == (2.0, 0.2)"),
    Kind("pillow", "image", "from PIL import Image\nit = Image.new('RGB', (4, 3), (1, 2, 3))", "it.mode == 'RGB' and it.size == (4, 3) and it.tobytes() == other.tobytes()"),
    Kind("pillow", "palette image", "from PIL import Image\nit = Image.new('P', (2, 2))\nit.putpalette([1, 2, 3] * 4)", "it.getpalette() == other.getpalette() and it.tobytes() == other.tobytes()"),
)

MODELS = (
    Kind("scikit-learn", "linear model", "from sklearn.linear_model import LogisticRegression\n" + FITTED + "it = LogisticRegression().fit(X, y)", PREDICTS),
    Kind("scikit-learn", "random forest", "from sklearn.ensemble import RandomForestClassifier\n" + FITTED + "it = RandomForestClassifier(5, random_state=0).fit(X, y)", PREDICTS),
    Kind("scikit-learn", "pipeline", "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\nfrom sklearn.svm import SVC\n" + FITTED + "it = make_pipeline(StandardScaler(), SVC()).fit(X, y)", "list(it.predict(X)) == list(other.predict(X)) and list(it.named_steps) == list(other.named_steps)"),
    Kind("scikit-learn", "grid search", "from sklearn.model_selection import GridSearchCV\nfrom sklearn.neighbors import KNeighborsClassifier\n" + FITTED + "it = GridSearchCV(KNeighborsClassifier(), {'n_neighbors': [1, 2]}, cv=2).fit(X, y)", "it.best_params_ == other.best_params_"),
    Kind("scikit-learn", "transformer with a function of the notebook", "from sklearn.preprocessing import FunctionTransformer\ndef double(X):\n    return [[2 * a for a in row] for row in X]\nit = FunctionTransformer(double)", "it.transform([[1, 2]]) == [[2, 4]]"),
    Kind("scikit-learn", "estimator of the notebook", "from sklearn.base import BaseEstimator\nclass Mean(BaseEstimator):\n    def __init__(self, shift=0):\n        self.shift = shift\n    def fit(self, X, y=None):\n        self.mean_ = sum(X) / len(X) + self.shift\n        return self\nit = Mean(1).fit([1, 2, 3])", "it.mean_ == 3 and it.get_params() == {'shift': 1}"),
    Kind("scikit-learn", "vectoriser", "from sklearn.feature_extraction.text import TfidfVectorizer\nit = TfidfVectorizer().fit(['a cat', 'a dog'])", "it.vocabulary_ == other.vocabulary_ and (it.transform(['cat']) != other.transform(['cat'])).nnz == 0"),
    Kind("scikit-learn", "bunch", "from sklearn.datasets import load_iris\nit = load_iris()", "it.feature_names == other.feature_names and (it.data == other.data).all()"),
    Kind("lightgbm", "booster", "import lightgbm as lgb, numpy as np\nit = lgb.train({'verbosity': -1, 'num_threads': 1, 'min_data_in_leaf': 1}, lgb.Dataset(np.arange(20.0).reshape(10, 2), np.arange(10.0)), 3)", "it.model_to_string() == other.model_to_string()"),
    Kind("statsmodels", "fitted regression", "import numpy as np, statsmodels.api as sm\nit = sm.OLS(np.array([1.0, 2.1, 2.9]), sm.add_constant(np.arange(3.0))).fit()", "list(it.params) == list(other.params) and it.rsquared == other.rsquared"),
    Kind("optuna", "study", "import optuna\noptuna.logging.set_verbosity(optuna.logging.ERROR)\nit = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))\nit.optimize(lambda t: t.suggest_float('x', 0, 1), n_trials=3)", "it.best_value == other.best_value and len(it.trials) == 3"),
    Kind("networkx", "directed graph", "import networkx as nx\nit = nx.DiGraph(name='g')\nit.add_edge('a', 'b', w=1)", "type(it) is type(other) and nx.utils.graphs_equal(it, other)"),
    Kind("networkx", "view", "import networkx as nx\nit = nx.path_graph(3).edges", "list(it) == [(0, 1), (1, 2)]"),
    Kind("igraph", "graph", "import igraph\nit = igraph.Graph([(0, 1), (1, 2)])\nit.vs['n'] = ['a', 'b', 'c']", "it.get_edgelist() == other.get_edgelist() and it.vs['n'] == ['a', 'b', 'c']"),
    Kind("sympy", "expression and assumptions", "import sympy\nx = sympy.Symbol('x', positive=True)\nit = sympy.sin(x) ** 2 + x"),
    Kind("sympy", "matrix and lambdified", "import sympy\nz = sympy.Symbol('z')\nit = [sympy.Matrix([[z, 1]]), sympy.lambdify(z, z + 1)]", "it[0] == other[0] and it[1](2) == 3"),
    Kind("numba", "jitted function", "import numba\n@numba.njit\ndef it(a):\n    return a + 1", "it(2) == 3"),
    Kind("tokenizers", "tokenizer", "from tokenizers import Tokenizer, models, pre_tokenizers\nit = Tokenizer(models.WordLevel({'a': 0, '[UNK]': 1}, unk_token='[UNK]'))\nit.pre_tokenizer = pre_tokenizers.Whitespace()", "it.encode('a b').ids == [0, 1]"),
)

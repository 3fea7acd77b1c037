"""Answers the recognition benchmark, one JSON request a line, with scikit-learn's times in milliseconds."""
import json
import sys
import time

import numpy as np
import sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

data = {}
forest = None
svm = None


def reply(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def timed(work):
    start = time.perf_counter()
    result = work()
    return (time.perf_counter() - start) * 1000, result


reply({"version": sklearn.__version__})
for line in sys.stdin:
    request = json.loads(line)
    do = request["do"]
    if do == "load":
        with open(request["file"]) as file:
            raw = json.load(file)
        data = {key: np.array(raw[key], dtype=float) for key in ("Xa", "Xb")}
        data.update({key: np.array(raw[key]) for key in ("ya", "yb")})
        scaler = StandardScaler().fit(data["Xa"])
        data["Sa"], data["Sb"] = scaler.transform(data["Xa"]), scaler.transform(data["Xb"])
        reply({})
    elif do == "train-forest":
        made = RandomForestClassifier(request["trees"], n_jobs=1, random_state=request["seed"])
        ms, forest = timed(lambda: made.fit(data["Xa"], data["ya"]))
        reply({"ms": ms, "accuracy": forest.score(data["Xb"], data["yb"])})
    elif do == "export-forest":
        trees = []
        for estimator in forest.estimators_:
            tree = estimator.tree_
            shares = tree.value[:, 0, :]
            trees.append({
                "left": tree.children_left.tolist(), "right": tree.children_right.tolist(),
                "feature": tree.feature.tolist(), "threshold": tree.threshold.tolist(),
                "shares": (shares / shares.sum(axis=1, keepdims=True)).tolist(),
                "cover": tree.weighted_n_node_samples.tolist(),
            })
        reply({"trees": trees, "labels": forest.predict(data["Xb"]).tolist()})
    elif do == "forest-single":
        rows = [data["Xb"][i:i + 1] for i in range(request["rows"])]
        ms, _ = timed(lambda: [forest.predict(row) for row in rows])
        reply({"ms": ms})
    elif do == "forest-batch":
        rows = np.tile(data["Xb"], (request["copies"], 1))
        ms, labels = timed(lambda: forest.predict(rows))
        reply({"ms": ms, "rows": len(rows)})
    elif do == "train-svm":
        ms, svm = timed(lambda: SVC(C=1.0, gamma=1 / data["Sa"].shape[1]).fit(data["Sa"], data["ya"]))
        svm.decision_function_shape = "ovo"
        reply({"ms": ms, "accuracy": svm.score(data["Sb"], data["yb"])})
    elif do == "cross-validate":
        x, y = np.array(request["x"], dtype=float), np.array(request["y"])
        result = {"forest": [], "svm": []}
        for repeat, folds in enumerate(request["folds"]):
            right = {"forest": 0, "svm": 0}
            for held in folds:
                kept = np.setdiff1d(np.arange(len(y)), held)
                made = RandomForestClassifier(request["trees"], n_jobs=1, random_state=repeat)
                right["forest"] += (made.fit(x[kept], y[kept]).predict(x[held]) == y[held]).sum()
                scaler = StandardScaler().fit(x[kept])
                made = SVC(C=1.0, gamma=1 / x.shape[1]).fit(scaler.transform(x[kept]), y[kept])
                right["svm"] += (made.predict(scaler.transform(x[held])) == y[held]).sum()
            for kind, count in right.items():
                result[kind].append(count / len(y))
        reply(result)

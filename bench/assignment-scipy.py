"""Answers the assignment benchmark, one JSON request a line, with SciPy's time in milliseconds and its optimum."""
import json
import sys
import time

import numpy as np
import scipy
from scipy.optimize import linear_sum_assignment

costs = None


def reply(value):
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


reply({"version": scipy.__version__})
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "load":
        costs = np.fromfile(request["file"]).reshape(request["rows"], request["columns"])
        reply({})
    else:
        start = time.perf_counter()
        rows, columns = linear_sum_assignment(costs)
        elapsed = (time.perf_counter() - start) * 1000
        reply({"ms": elapsed, "total": float(costs[rows, columns].sum())})

"""Twelve metrics of each group of a table by fairlearn's MetricFrame, from Parquet to the result; one JSON line."""

import argparse
import json
import resource
import time

start = time.perf_counter()

import pandas as pd  # noqa: E402
from fairlearn.metrics import (  # noqa: E402
    MetricFrame,
    count,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
    true_negative_rate,
    true_positive_rate,
)
from sklearn.metrics import (  # noqa: E402
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    precision_score,
    roc_auc_score,
)

parser = argparse.ArgumentParser()
parser.add_argument("--table", required=True)
parser.add_argument("--draws", type=int, default=0)
flags = parser.parse_args()

imported, before = time.perf_counter(), time.process_time()
table = pd.read_parquet(flags.table, columns=["race", "label", "score"])
predicted = (table.score >= 0.5).astype(int)
decisions = {
    "count": count,
    "selection rate": selection_rate,
    "true positive rate": true_positive_rate,
    "false positive rate": false_positive_rate,
    "true negative rate": true_negative_rate,
    "false negative rate": false_negative_rate,
    "precision": lambda y, p: precision_score(y, p, zero_division=0),
    "accuracy": accuracy_score,
    "balanced accuracy": balanced_accuracy_score,
    "f1": f1_score,
}
bootstrap = {"n_boot": flags.draws, "ci_quantiles": [0.025, 0.975]} if flags.draws else {}
frames = [
    MetricFrame(
        metrics=metrics, y_true=table.label, y_pred=answers, sensitive_features=table.race, **bootstrap
    )
    for metrics, answers in (
        (decisions, predicted),
        ({"auc": roc_auc_score, "brier": brier_score_loss}, table.score),
    )
]
for frame in frames:
    frame.by_group, frame.difference()
end, cpu = time.perf_counter(), time.process_time() - before
print(
    json.dumps(
        {
            "seconds": end - imported,
            "cpuSeconds": cpu,
            "processSeconds": end - start,
            "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            "rows": len(table),
        }
    )
)

"""Numbers of other fairness libraries on tables from standard input, as JSON on standard output.

In:  {tables: [{name, labels, predictions, groups, reference, scores?, weights?, strata?}]}
Out: {versions: {library: version}, numbers: {table: {library: [[name, group, value]]}}}

Names and groups are spelled as core/fairness/libraries spells them. NaN becomes null, an exception {error: text}.
A library that is not installed is left out.
"""

import importlib
import importlib.metadata
import json
import math
import sys
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
OTHERS = "(all others)"


def plain(value):
    """A NumPy number as JSON can hold it."""
    if isinstance(value, dict) or value is None:
        return value
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    value = float(np.asarray(value, dtype=float).reshape(-1)[0])
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def attempt(compute):
    try:
        return plain(compute())
    except Exception as error:  # what a library raises is part of what it gives
        return {"error": f"{type(error).__name__}: {error}"}


def fairlearn(table):
    import fairlearn.metrics as fm
    import sklearn.metrics as skm

    y, p = table["labels"], table["predictions"]
    weights = table.get("weights")
    common = {"sensitive_features": table["groups"], "sample_weight": weights}
    functions = {
        "selection_rate": fm.selection_rate,
        "true_positive_rate": fm.true_positive_rate,
        "true_negative_rate": fm.true_negative_rate,
        "false_positive_rate": fm.false_positive_rate,
        "false_negative_rate": fm.false_negative_rate,
        "accuracy_score": skm.accuracy_score,
        "zero_one_loss": skm.zero_one_loss,
        "balanced_accuracy_score": skm.balanced_accuracy_score,
        "precision_score": skm.precision_score,
        "recall_score": skm.recall_score,
        "f1_score": skm.f1_score,
    }
    parameters = {name: {"sample_weight": weights} for name in functions} if weights is not None else None
    frame = fm.MetricFrame(
        metrics=functions,
        y_true=y,
        y_pred=p,
        sensitive_features=table["groups"],
        sample_params=parameters,
    )
    out = [(name, group, plain(frame.by_group[name][group])) for group in frame.by_group.index for name in functions]
    for method in ("between_groups", "to_overall"):
        for name in (
            "demographic_parity_difference",
            "demographic_parity_ratio",
            "equal_opportunity_difference",
            "equal_opportunity_ratio",
            "equalized_odds_difference",
            "equalized_odds_ratio",
        ):
            for agg in ("worst_case", "mean") if name.startswith("equalized") else (None,):
                options = {"method": method} | ({} if agg is None else {"agg": agg})
                spelled = [f"{key}='{value}'" for key, value in options.items() if value in ("to_overall", "mean")]
                label = name + (f"({', '.join(spelled)})" if spelled else "")
                out.append((label, None, attempt(lambda: getattr(fm, name)(y, p, **common, **options))))
    generated = [
        f"{rate}_{take}"
        for rate in (
            "true_positive_rate",
            "true_negative_rate",
            "false_positive_rate",
            "false_negative_rate",
            "selection_rate",
            "accuracy_score",
            "zero_one_loss",
        )
        for take in ("difference", "ratio")
    ] + [
        "zero_one_loss_group_max",
        "accuracy_score_group_min",
        "balanced_accuracy_score_group_min",
        "precision_score_group_min",
        "recall_score_group_min",
        "f1_score_group_min",
    ]
    out += [(name, None, attempt(lambda: getattr(fm, name)(y, p, **common))) for name in generated]
    return out


AIF360_PAIR = (
    "statistical_parity_difference",
    "disparate_impact",
    "equal_opportunity_difference",
    "true_positive_rate_difference",
    "false_positive_rate_difference",
    "false_negative_rate_difference",
    "false_omission_rate_difference",
    "false_discovery_rate_difference",
    "false_positive_rate_ratio",
    "false_negative_rate_ratio",
    "false_omission_rate_ratio",
    "false_discovery_rate_ratio",
    "average_odds_difference",
    "average_abs_odds_difference",
    "average_predictive_value_difference",
    "equalized_odds_difference",
    "error_rate_difference",
    "error_rate_ratio",
    "between_group_generalized_entropy_index",
    "between_group_theil_index",
    "between_group_coefficient_of_variation",
)
AIF360_EDF = ("smoothed_empirical_differential_fairness", "differential_fairness_bias_amplification")
AIF360_WHOLE = ("generalized_entropy_index", "theil_index", "coefficient_of_variation")


def aif360_metrics(table, codes, unprivileged, privileged):
    from aif360.datasets import BinaryLabelDataset
    from aif360.metrics import BinaryLabelDatasetMetric, ClassificationMetric

    frame = pd.DataFrame({"group": codes.astype(float), "label": np.asarray(table["labels"], float)})
    names = {"label_names": ["label"], "protected_attribute_names": ["group"]}
    if table.get("weights") is not None:
        frame["weight"] = table["weights"]
        names["instance_weights_name"] = "weight"
    values = sorted(set(frame["group"]))
    sides = {
        "privileged_protected_attributes": [[v for v in values if v in privileged]],
        "unprivileged_protected_attributes": [[v for v in values if v not in privileged]],
    }
    truth = BinaryLabelDataset(favorable_label=1, unfavorable_label=0, df=frame, **names, **sides)
    decided = truth.copy()
    decided.labels = np.asarray(table["predictions"], float).reshape(-1, 1)
    decided.scores = decided.labels.copy()
    groups = {
        "unprivileged_groups": [{"group": float(code)} for code in unprivileged],
        "privileged_groups": [{"group": float(code)} for code in privileged],
    }
    return BinaryLabelDatasetMetric(truth, **groups), ClassificationMetric(truth, decided, **groups)


def aif360(table):
    labels, codes = np.unique(table["groups"], return_inverse=True)
    names = list(labels)
    out = []

    def pair(name, group_codes, unprivileged, privileged, more=()):
        on_labels, metric = aif360_metrics(table, group_codes, unprivileged, privileged)
        for method in (*AIF360_PAIR, *more):
            out.append((method, name, attempt(getattr(metric, method))))
        for method in ("statistical_parity_difference", "disparate_impact"):
            out.append((f"{method} of the labels", name, attempt(getattr(on_labels, method))))

    reference = names.index(table["reference"])
    others = [code for code in range(len(names)) if code != reference]
    for code in others:
        pair(names[code], codes, [code], [reference], AIF360_EDF if len(others) == 1 else ())
    if len(others) > 1:
        pair(OTHERS, (codes == reference).astype(int), [0], [1], AIF360_EDF)
    if others:
        _, metric = aif360_metrics(table, codes, others, [reference])
        whole = (*AIF360_WHOLE, *(f"between_all_groups_{name}" for name in AIF360_WHOLE), *AIF360_EDF)
        out += [(method, None, attempt(getattr(metric, method))) for method in whole]
    return out


def clarify(table):
    from smclarify.bias.report import FacetColumn, LabelColumn, StageType, bias_report

    frame = pd.DataFrame({"facet": pd.Series(table["groups"], dtype="category")})

    # smclarify takes digits in a short table for a continuous column, words never
    def column(name, values):
        return LabelColumn(name, pd.Series(["yes" if value == 1 else "no" for value in values]), ["yes"])

    strata = None if table.get("strata") is None else pd.Series(table["strata"])
    out = []
    for stage in (StageType.PRE_TRAINING, StageType.POST_TRAINING):
        metrics = [name for name in clarify_names(stage) if name != "FT"]
        facets = sorted(set(table["groups"]))
        try:
            label = column("label", table["labels"])
            predicted = column("predicted", table["predictions"])
            report = bias_report(frame, FacetColumn("facet"), label, stage, predicted, metrics, strata)
        except Exception as error:
            failed = {"error": f"{type(error).__name__}: {error}"}
            out += [(name, facet, failed) for facet in facets for name in metrics]
            continue
        for facet in report:
            for metric in facet["metrics"]:
                value = {"error": metric["error"]} if "error" in metric else metric["value"]
                if isinstance(value, float) and math.isnan(value):
                    value = None
                out.append((metric["name"], facet["value_or_threshold"], value))
    return out


def clarify_names(stage):
    import smclarify.bias.metrics as metrics

    is_before = stage.value == "pre_training"
    return [m.__name__ for m in (metrics.PRETRAINING_METRICS if is_before else metrics.POSTTRAINING_METRICS)]


AEQUITAS_COMPARED = ("ppr", "pprev", "precision", "fdr", "for", "fpr", "fnr", "tpr", "tnr", "npv")


def aequitas(table):
    from aequitas.bias import Bias
    from aequitas.fairness import Fairness
    from aequitas.group import Group

    frame = pd.DataFrame(
        {
            "score": table["predictions"],
            "label_value": table["labels"],
            "group": pd.Series(table["groups"], dtype=object),
        }
    )
    crosstab, _ = Group().get_crosstabs(frame)
    biased = Bias().get_disparity_predefined_groups(
        crosstab, original_df=frame, ref_groups_dict={"group": table["reference"]}
    )
    judged = Fairness().get_group_value_fairness(biased)
    parities = [column for column in judged.columns if column.endswith(("Parity", "Odds", "Fairness"))]
    columns = [*AEQUITAS_COMPARED, "prev", "accuracy", *(f"{m}_disparity" for m in AEQUITAS_COMPARED), *parities]
    return [
        (column, row["attribute_value"], plain(row[column])) for _, row in judged.iterrows() for column in columns
    ]


def oxonfair(table):
    from oxonfair import group_metrics as gm

    _, codes = np.unique(table["groups"], return_inverse=True)
    y, p = np.asarray(table["labels"]), np.asarray(table["predictions"])
    named = {
        "demographic_parity": gm.demographic_parity,
        "disparate_impact": gm.disparate_impact,
        "equal_opportunity": gm.equal_opportunity,
        "equalized_odds": gm.equalized_odds,
        "equalized_odds_max": gm.equalized_odds_max,
        "predictive_parity": gm.predictive_parity,
        "predictive_equality": gm.predictive_equality,
        "accuracy_parity": gm.accuracy_parity,
        "cond_use_accuracy": gm.cond_use_accuracy,
        "treatment_equality": gm.treatment_equality,
    }
    return [(name, None, attempt(lambda: metric(y, p, codes))) for name, metric in named.items()]


def holisticai(table):
    import holisticai.bias.metrics as hm

    groups = np.asarray(table["groups"])
    y, p = np.asarray(table["labels"]), np.asarray(table["predictions"])
    of_predictions = ("statistical_parity", "disparate_impact", "four_fifths", "cohen_d", "z_test_diff", "z_test_ratio")
    of_labels = ("equal_opportunity_diff", "false_positive_rate_diff", "average_odds_diff", "accuracy_diff")
    out = []
    b = (groups == table["reference"]).astype(int)
    for group in sorted(set(table["groups"]) - {table["reference"]}):
        a = (groups == group).astype(int)
        out += [(name, group, attempt(lambda: getattr(hm, name)(a, b, p))) for name in of_predictions]
        out += [(name, group, attempt(lambda: getattr(hm, name)(a, b, p, y))) for name in of_labels]
    return out


def sklearn(table):
    """AUC and Brier score by group: what our own columns have from scores."""
    import sklearn.metrics as skm

    if table.get("scores") is None:
        return []
    frame = pd.DataFrame({key: table[key] for key in ("groups", "labels", "scores")})
    parts = [(None, frame), *frame.groupby("groups")]
    return [
        (name, group, attempt(lambda: metric(part["labels"], part["scores"])))
        for group, part in parts
        for name, metric in (("roc_auc_score", skm.roc_auc_score), ("brier_score_loss", skm.brier_score_loss))
    ]


LIBRARIES = {
    "fairlearn": (fairlearn, "fairlearn", "fairlearn.metrics"),
    "aif360": (aif360, "aif360", "aif360.metrics"),
    "clarify": (clarify, "smclarify", "smclarify.bias.report"),
    "aequitas": (aequitas, "aequitas", "aequitas.group"),
    "oxonfair": (oxonfair, "oxonfair", "oxonfair"),
    "holisticai": (holisticai, "holisticai", "holisticai.bias.metrics"),
    "sklearn": (sklearn, "scikit-learn", "sklearn.metrics"),
}


def installed():
    for name, (_, package, module) in LIBRARIES.items():
        try:
            importlib.import_module(module)
        except ImportError:
            continue
        yield name, importlib.metadata.version(package)


def main():
    import logging

    logging.disable(logging.CRITICAL)
    tables = json.load(sys.stdin)["tables"]
    versions = dict(installed())
    numbers = {table["name"]: {name: LIBRARIES[name][0](table) for name in versions} for table in tables}
    json.dump({"versions": versions, "numbers": numbers}, sys.stdout)


if __name__ == "__main__":
    main()

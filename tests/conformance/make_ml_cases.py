# SPDX-License-Identifier: Apache-2.0
"""Cases of ai.onnx.ml, which scikit-learn's exporters write."""

import numpy as np
import onnx_case as oc

random = np.random.default_rng(7)
ML = {"domain": oc.ML}


def floats(*shape):
    return random.uniform(-2, 2, shape).astype(np.float32)


def texts(*values):
    return np.array(values, dtype=object)


def feature_cases(cases):
    x = floats(4, 3)
    cases.add("scaler", "Scaler", [x], offset=[0.5, -1.0, 0.0], scale=[2.0, 0.5, -1.0], **ML)
    cases.add("scaler_one", "Scaler", [x], offset=[0.5], scale=[2.0], **ML)
    cases.add(
        "scaler_i64",
        "Scaler",
        [np.array([[1, 2, 3]])],
        offset=[0.5, 1, 0],
        scale=[2.0, 0.5, 1],
        **ML,
    )
    holes = x.copy()
    holes[1, 2] = holes[3, 0] = np.nan
    cases.add(
        "imputer_nan",
        "Imputer",
        [holes],
        imputed_value_floats=[7.0, 8.0, 9.0],
        replaced_value_float=float("nan"),
        **ML,
    )
    cases.add(
        "imputer_i64",
        "Imputer",
        [np.array([[1, 0], [0, 5]])],
        imputed_value_int64s=[9],
        replaced_value_int64=0,
        **ML,
    )
    x[2] = 0
    for norm in ("MAX", "L1", "L2"):
        data = np.abs(x) if norm == "MAX" else x
        cases.add(f"normalizer_{norm.lower()}", "Normalizer", [data], norm=norm, **ML)
    cases.add(
        "feature_vectorizer",
        "FeatureVectorizer",
        [floats(2, 3), floats(2, 2)],
        inputdimensions=[3, 2],
        **ML,
    )
    cases.add("array_feature_extractor", "ArrayFeatureExtractor", [x, np.array([2, 0])], **ML)
    cases.add(
        "one_hot_encoder", "OneHotEncoder", [np.array([3, 1, 9])], cats_int64s=[1, 3, 5], **ML
    )
    cases.add(
        "one_hot_encoder_text",
        "OneHotEncoder",
        [texts("b", "a", "b")],
        cats_strings=["a", "b"],
        **ML,
    )
    cases.add("binarizer", "Binarizer", [x], threshold=0.3, **ML)
    cases.add(
        "category_mapper_to_int",
        "CategoryMapper",
        [texts("cat", "cow", "dog")],
        cats_strings=["cat", "dog"],
        cats_int64s=[4, 5],
        default_int64=-7,
        **ML,
    )
    cases.add(
        "category_mapper_to_text",
        "CategoryMapper",
        [np.array([5, 1, 4])],
        cats_strings=["cat", "dog"],
        cats_int64s=[4, 5],
        default_string="none",
        **ML,
    )
    cases.add(
        "label_encoder",
        "LabelEncoder",
        [texts("a", "c", "b")],
        keys_strings=["a", "b"],
        values_int64s=[1, 2],
        default_int64=-1,
        **ML,
    )


def linear_cases(cases):
    x = floats(5, 2)
    cases.add(
        "linear_regressor",
        "LinearRegressor",
        [x],
        coefficients=[0.5, -1.0],
        intercepts=[0.25],
        **ML,
    )
    cases.add(
        "linear_regressor_two",
        "LinearRegressor",
        [x],
        targets=2,
        coefficients=[0.5, -1.0, 2.0, 0.1],
        intercepts=[0.25, 1.0],
        **ML,
    )
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        cases.add(
            f"linear_classifier_{transform.lower()}",
            "LinearClassifier",
            [x],
            outputs=2,
            coefficients=[0.5, -1.0, 2.0, 0.1, -0.3, -0.2],
            intercepts=[0.25, 1.0, 0.0],
            classlabels_ints=[5, 7, 9],
            post_transform=transform,
            **ML,
        )
    cases.add(
        "linear_classifier_text",
        "LinearClassifier",
        [x],
        outputs=2,
        coefficients=[0.5, -1.0, 2.0, 0.1],
        intercepts=[0.25, 1.0],
        classlabels_strings=["no", "yes"],
        post_transform="LOGISTIC",
        **ML,
    )
    cases.add(
        "linear_classifier_binary",
        "LinearClassifier",
        [x],
        outputs=2,
        coefficients=[0.5, -1.0],
        intercepts=[0.25],
        classlabels_ints=[5, 7],
        post_transform="LOGISTIC",
        **ML,
    )


def svm_cases(cases):
    x = floats(5, 2)
    support = [0.1, 0.2, 0.9, -0.3, -0.5, 0.5, 0.7, 0.7]
    for kernel in ("LINEAR", "POLY", "RBF", "SIGMOID"):
        common = {
            "kernel_type": kernel,
            "kernel_params": [0.5, 0.1, 3.0],
            "support_vectors": support,
            **ML,
        }
        for one_class in (0, 1):
            cases.add(
                f"svm_regressor_{kernel.lower()}_{one_class}",
                "SVMRegressor",
                [x],
                coefficients=[0.5, 0.2, -0.4, -0.3],
                rho=[0.05],
                n_supports=4,
                one_class=one_class,
                **common,
            )
        cases.add(
            f"svm_classifier_{kernel.lower()}",
            "SVMClassifier",
            [x],
            outputs=2,
            coefficients=[0.5, 0.2, -0.4, -0.3],
            rho=[0.05],
            vectors_per_class=[2, 2],
            classlabels_ints=[5, 7],
            **common,
        )
        three = {
            "coefficients": [0.5, 0.2, -0.4, -0.3, 0.1, 0.6, -0.2, 0.3],
            "rho": [0.05, 0.1, -0.1],
            "vectors_per_class": [2, 1, 1],
            "classlabels_ints": [5, 7, 9],
        }
        cases.add(
            f"svm_classifier_three_{kernel.lower()}",
            "SVMClassifier",
            [x],
            outputs=2,
            **three,
            **common,
        )
        cases.add(
            f"svm_classifier_probability_{kernel.lower()}",
            "SVMClassifier",
            [x],
            outputs=2,
            prob_a=[-1.2, -1.0, -0.5],
            prob_b=[0.1, 0.2, 0.0],
            **three,
            **common,
        )
    cases.add(
        "svm_regressor_no_vectors",
        "SVMRegressor",
        [x],
        coefficients=[0.5, 0.2],
        kernel_type="LINEAR",
        kernel_params=[0.0, 0.0, 0.0],
        rho=[0.05],
        **ML,
    )


def trees(weights, count):
    """Two trees of three leaves over two features; `weights` of each leaf: {target: weight}."""
    nodes = {
        "treeids": [],
        "nodeids": [],
        "featureids": [],
        "values": [],
        "modes": [],
        "truenodeids": [],
        "falsenodeids": [],
        "missing_value_tracks_true": [],
    }
    leaves = {"treeids": [], "nodeids": [], "ids": [], "weights": []}
    for tree in range(2):
        rows = [
            (0, "BRANCH_LEQ", 0.3 - tree, 1, 2, 1),
            (1, "LEAF", 0, 0, 0, 0),
            (1, "BRANCH_LT" if tree else "BRANCH_GT", -0.2, 3, 4, 0),
            (0, "LEAF", 0, 0, 0, 0),
            (0, "LEAF", 0, 0, 0, 0),
        ]
        for node, (feature, mode, value, yes, no, missing) in enumerate(rows):
            for key, entry in zip(nodes, (tree, node, feature, value, mode, yes, no, missing)):
                nodes[key].append(entry)
        for leaf, node in enumerate((1, 3, 4)):
            for target, weight in weights[tree * 3 + leaf].items():
                for key, entry in zip(leaves, (tree, node, target, weight)):
                    leaves[key].append(entry)
    return {f"nodes_{k}": v for k, v in nodes.items()}, leaves


def tree_cases(cases):
    x = np.concatenate([floats(12, 2), np.array([[np.nan, 0.1], [0.3, np.nan]], np.float32)])
    for count in (1, 3):
        weights = [
            {int(t): float(w) for t, w in zip(random.permutation(count)[:2], floats(2))}
            for _ in range(6)
        ]
        nodes, leaves = trees(weights, count)
        target = {f"target_{k}": v for k, v in leaves.items()}
        for how in ("SUM", "AVERAGE", "MIN", "MAX"):
            cases.add(
                f"tree_regressor_{count}_{how.lower()}",
                "TreeEnsembleRegressor",
                [x],
                n_targets=count,
                aggregate_function=how,
                base_values=[0.5] * count,
                **nodes,
                **target,
                **ML,
            )
    kinds = {
        "three": ([5, 7, 9], [{0: 0.3, 1: 0.1}, {2: 0.7}, {1: 0.4}, {0: 0.2}, {1: 0.9}, {2: 0.1}]),
        "forest": ([5, 7], [{0: p} for p in (0.1, 0.3, 0.45, 0.2, 0.4, 0.05)]),
        "boosted": ([5, 7], [{0: p} for p in (-0.1, 0.3, -0.45, 0.2, -0.4, 0.05)]),
    }
    for kind, (labels, weights) in kinds.items():
        nodes, leaves = trees(weights, len(labels))
        of_class = {f"class_{k}": v for k, v in leaves.items()}
        for transform in ("NONE", "LOGISTIC") + (("SOFTMAX",) if kind == "three" else ()):
            cases.add(
                f"tree_classifier_{kind}_{transform.lower()}",
                "TreeEnsembleClassifier",
                [x],
                outputs=2,
                post_transform=transform,
                classlabels_int64s=labels,
                **nodes,
                **of_class,
                **ML,
            )
        cases.add(
            f"tree_classifier_{kind}_text",
            "TreeEnsembleClassifier",
            [x],
            outputs=2,
            classlabels_strings=[f"c{label}" for label in labels],
            **nodes,
            **of_class,
            **ML,
        )


def map_cases(cases):
    scores, words = floats(4, 3), ["c", "a", "b"]
    cases.add("zip_map", "ZipMap", [scores], classlabels_strings=words, **ML)
    cases.add("zip_map_i64", "ZipMap", [scores], classlabels_int64s=[7, -2, 0], **ML)
    cases.add("zip_map_row", "ZipMap", [scores[0]], classlabels_strings=words, **ML)
    given = {"b": 1.5, "d": 2.0}
    cases.add("dict_vectorizer", "DictVectorizer", [given], string_vocabulary=words, **ML)
    # What onnxruntime cannot be given from Python.
    for name, given, wanted in (
        ("i64", {"c": 3, "a": -1}, np.array([[3, -1, 0]])),
        ("strings", {"b": "x"}, np.array([["", "", "x"]], object)),
    ):
        cases.add(
            f"dict_vectorizer_{name}",
            "DictVectorizer",
            [given],
            oracle=[wanted],
            string_vocabulary=words,
            **ML,
        )
    numbers = {3: 1.5, 0: 2.0}
    for to in ("TO_FLOAT", "TO_INT64"):
        cases.add(f"cast_map_{to.lower()}", "CastMap", [numbers], cast_to=to, **ML)
        cases.add(
            f"cast_map_sparse_{to.lower()}",
            "CastMap",
            [numbers],
            cast_to=to,
            map_form="SPARSE",
            max_map=5,
            **ML,
        )
    cases.add(
        "cast_map_texts",
        "CastMap",
        [{3: "7", 0: "2"}],
        oracle=[np.array([[2, 7]], np.float32)],
        cast_to="TO_FLOAT",
        **ML,
    )


def make(cases):
    for part in (feature_cases, linear_cases, svm_cases, tree_cases, map_cases):
        part(cases)

"""scikit-learn's interface to few-shot learning: estimators that fit on a few labelled examples."""

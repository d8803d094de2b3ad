"""Heads: small classifiers on frozen features, with exact and cheap leave-one-out."""

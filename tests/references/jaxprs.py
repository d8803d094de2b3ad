"""What a traced program is made of."""


def equations(jaxpr):
    """All equations, those of inner programs too."""
    own = getattr(jaxpr, "jaxpr", jaxpr)
    for equation in own.eqns:
        yield equation
        for value in equation.params.values():
            for inner in value if isinstance(value, tuple | list) else (value,):
                if hasattr(inner, "eqns") or hasattr(inner, "jaxpr"):
                    yield from equations(inner)

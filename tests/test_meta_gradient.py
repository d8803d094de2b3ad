"""g_MAML = ∏ (I − α∇²L(θ_j)) ∇L^ts(θ_k), in float64, against everything it can be held against."""

import functools

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import pytest

import quickstudy as qs
from quickstudy.inner import LearnedRate
from quickstudy.learners.descent import descent
from quickstudy.nets.conv4 import ConvBlock
from quickstudy.nets.norm import make_norm
from references import meta_gradient as reference

STEPS = (0, 1, 2, 5)
RATE = 0.2
EXACT, DIFFERENCE = 1e-10, 1e-7


@pytest.fixture(autouse=True)
def float64():
    with jax.enable_x64(True):
        yield


class PooledConv(eqx.Module):
    """Convolution, layer normalisation, max-pooling, ReLU and a linear head."""

    block: ConvBlock
    head: qs.Linear

    def __call__(self, x):
        hidden = self.block(x)
        return self.head(hidden.reshape(hidden.shape[0], -1))


def tanh_mlp(key):
    return qs.MLP(3, (5, 4, 3), activation=jnp.tanh, key=key), (3,)


def relu_pool_conv(key):
    keys = jax.random.split(key)
    kernel = jax.random.normal(keys[0], (3, 3, 1, 3))
    block = ConvBlock(kernel, make_norm("layer", 3), "pool")
    return PooledConv(block, qs.Linear.create(27, 3, key=keys[1])), (6, 6, 1)


NETWORKS = [tanh_mlp, relu_pool_conv]


class Case:
    """A network, six support sets and a query set; the same for every number of steps."""

    def __init__(self, make_network, *, one_batch=False):
        keys = jax.random.split(jax.random.key(1), 4)
        self.model, shape = make_network(keys[0])
        self.x = jax.random.normal(keys[1], (6, 4, *shape))
        self.y = jax.random.randint(keys[2], (6, 4), 0, 3)
        if one_batch:
            self.x, self.y = (jnp.broadcast_to(a[:1], a.shape) for a in (self.x, self.y))
        self.query = qs.Examples(
            jax.random.normal(keys[3], (5, *shape)), self.y[0].repeat(2)[:5], 3
        )
        self.start, self.unravel = jax.flatten_util.ravel_pytree(self.model)

        @jax.jit
        def outputs(theta, j):
            return self.unravel(theta)(self.x[j])

        @jax.jit
        def output_loss(outputs, j):
            return qs.cross_entropy(outputs, self.y[j])

        @jax.jit
        def support(theta, j):
            return output_loss(outputs(theta, j), j)

        @jax.jit
        def query(theta):
            return qs.cross_entropy(self.unravel(theta)(self.query.x), self.query.y)

        self.losses = {
            "support": support,
            "query": query,
            "outputs": outputs,
            "output_loss": output_loss,
        }

    def problem(self, steps):
        """What the references solve."""
        return reference.Problem(start=self.start, rate=RATE, steps=steps, **self.losses)

    def objective(self, model, rate, steps):
        """L^ts(θ_k) through quickstudy's own inner loop, with a new support set in every step."""
        supports = qs.Examples(self.x[:steps], self.y[:steps], 3)
        adapted, _ = descent(model, supports, qs.cross_entropy, rule=LearnedRate(rate), steps=None)
        return qs.cross_entropy(adapted(self.query.x), self.query.y)


@functools.cache
def case(make_network):
    return Case(make_network)


@functools.cache
def gradients(make_network, steps):
    """quickstudy's meta-gradient, flat, and its derivative in α."""
    the = case(make_network)
    gradient = jax.jit(jax.grad(the.objective, argnums=(0, 1)), static_argnums=2)
    by_model, by_rate = gradient(the.model, RATE, steps)
    return jax.flatten_util.ravel_pytree(by_model)[0], by_rate


networks = pytest.mark.parametrize("network", NETWORKS, ids=lambda n: n.__name__)
all_steps = pytest.mark.parametrize("steps", STEPS)


# The checks. Each takes any candidate for the gradient, so that wrong ones can be held up to it.


def check_dense(candidate, problem):
    assert reference.relative_error(candidate, reference.dense(problem)) <= EXACT


def check_forward_over_reverse(candidate, problem):
    wanted = reference.forward_over_reverse(problem)
    assert reference.relative_error(candidate, wanted) <= EXACT


def check_reverse_over_reverse(candidate, problem):
    wanted = reference.reverse_over_reverse(problem)
    assert reference.relative_error(candidate, wanted) <= EXACT


def directions(problem, count=3):
    drawn = np.random.default_rng(0).normal(size=(count, len(problem.start)))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def check_central_difference(candidate, problem):
    scale = np.linalg.norm(candidate)
    for direction in directions(problem):
        wanted = reference.central_difference(problem, direction, 1e-5)
        assert abs(candidate @ direction - wanted) <= DIFFERENCE * scale


def check_slope(candidate, problem):
    """Halving h quarters the error, as it does only around the true derivative."""
    widths = 4e-3 / 2.0 ** np.arange(3)
    direction = directions(problem, 1)[0]
    differences = [reference.central_difference(problem, direction, h) for h in widths]
    errors = np.abs(candidate @ direction - np.array(differences))
    slopes = np.log2(errors[:-1] / errors[1:])
    assert np.all(np.abs(slopes - 2) < 0.1), slopes


CHECKS = [
    check_dense,
    check_forward_over_reverse,
    check_reverse_over_reverse,
    check_central_difference,
    check_slope,
]
checks = pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)


@networks
@all_steps
@checks
def test_meta_gradient(network, steps, check):
    check(gradients(network, steps)[0], case(network).problem(steps))


@networks
@pytest.mark.parametrize(
    ("wrong", "steps"),
    [(w, k) for w, least in reference.WRONG.items() for k in STEPS if k >= least],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_check_rejects_a_wrong_meta_gradient(network, wrong, steps):
    problem = case(network).problem(steps)
    candidate = wrong(problem)
    for check in CHECKS:
        with pytest.raises(AssertionError):
            check(candidate, problem)


@networks
@all_steps
def test_gradient_in_the_inner_rate(network, steps):
    problem, found = case(network).problem(steps), gradients(network, steps)[1]
    np.testing.assert_allclose(found, reference.rate_gradient(problem), rtol=EXACT)
    difference = reference.rate_central_difference(problem, 1e-5)
    np.testing.assert_allclose(found, difference, rtol=1e-6)
    if steps > 1:
        first_order = reference.first_order_rate_gradient(problem)
        assert abs(found - first_order) > 1e-3 * abs(found)


@pytest.mark.parametrize(
    ("network", "steps"), [*((tanh_mlp, k) for k in STEPS), (relu_pool_conv, 2)]
)
def test_the_learner_itself(network, steps):
    """`MAML.meta_gradient`, which has one support set for all steps."""
    one = Case(network, one_batch=True)
    learner = qs.MAML(one.model, inner_lr=RATE, steps=steps)
    task = qs.Task(qs.Examples(one.x[0], one.y[0], 3), one.query)
    gradient, metrics = eqx.filter_jit(lambda: learner.meta_gradient(task))()
    found = jax.flatten_util.ravel_pytree(gradient)[0]
    check_dense(found, one.problem(steps))
    wanted = one.losses["query"](one.problem(steps).path()[-1])
    np.testing.assert_allclose(metrics["loss"], wanted, rtol=1e-12)


def test_it_really_is_float64():
    found, by_rate = gradients(tanh_mlp, 2)
    assert found.dtype == by_rate.dtype == jnp.float64
    assert np.any(np.asarray(found) != np.asarray(found).astype(np.float32))


class Point(eqx.Module):
    """θ itself, seen from x: outputs θ − x."""

    theta: jax.Array

    def __call__(self, x):
        return self.theta[None] - x


def quadratic(outputs, y):
    """½ oᵀ M o with the matrix M as the target."""
    return 0.5 * outputs[0] @ y[0] @ outputs[0]


@all_steps
def test_quadratics_in_closed_form(steps):
    """L = ½(θ − a)ᵀA(θ − a) and L^ts = ½(θ − b)ᵀB(θ − b): g = (I − αA)^k B (θ_k − b)."""
    rng = np.random.default_rng(3)
    roots, (a, b, theta) = rng.normal(size=(2, 4, 4)), rng.normal(size=(3, 4))
    A, B = (root @ root.T for root in roots)
    assert np.linalg.norm(A @ B - B @ A) > 1
    task = qs.Task(
        *(qs.Examples(jnp.array(c[None]), jnp.array(M[None])) for c, M in ((a, A), (b, B)))
    )
    learner = qs.MAML(Point(jnp.array(theta)), inner_lr=0.05, steps=steps, loss=quadratic)
    shrink = np.linalg.matrix_power(np.eye(4) - 0.05 * A, steps)
    wanted = shrink @ B @ (a + shrink @ (theta - a) - b)
    found = jax.grad(lambda learner: quadratic(learner.adapt(task.support)(task.query.x), B[None]))
    assert reference.relative_error(found(learner).model.theta, wanted) <= 1e-12
    if steps:
        swapped = B @ shrink @ (a + shrink @ (theta - a) - b)
        assert reference.relative_error(swapped, wanted) > 1e-2


class Weights(eqx.Module):
    """x ↦ x · w."""

    w: jax.Array

    def __call__(self, x):
        return x @ self.w


def half_square(outputs, y):
    return 0.5 * jnp.sum(jnp.square(outputs))


def by_hand():
    support, query = (
        qs.Examples(jnp.array([x], jnp.float32), jnp.zeros((1, 1), jnp.float32))
        for x in ([1, 2, 3], [4, 5, 6])
    )
    return Weights(jnp.array([2, 3, 5], jnp.float32)), support, query


def test_by_hand():
    """L = ½(x · w)²; every number below was found with a pencil, and is exact in float32."""
    weights, support, query = by_hand()
    learner = qs.MAML(weights, inner_lr=0.5, loss=half_square)
    assert learner.adapt(support).w.tolist() == [-9.5, -20, -29.5]

    def query_loss(learner):
        return half_square(learner.adapt(support)(query.x), query.y)

    assert jax.grad(query_loss)(learner).model.w.tolist() == [3780, 8505, 13230]


def test_the_rate_by_hand():
    """∂L^ts/∂α = −∇L^ts(w′) · ∇L(w) = 315 · 23 · (4, 5, 6) · (1, 2, 3) = 231 840."""
    weights, support, query = by_hand()

    def query_loss(rate):
        adapted, _ = descent(weights, support, half_square, rule=LearnedRate(rate), steps=1)
        return half_square(adapted(query.x), query.y)

    assert float(jax.grad(query_loss)(0.5)) == 231840

"""What MAML for RL differentiates, held against sums over all trajectories of tiny MDPs.

The stored trajectories of a task are all 32 that there are, and the advantage of each is weighted
with its probability: what is an estimate elsewhere is exact here, in `rl/maml.py`'s own code.
"""

import equinox as eqx
import jax
import jax.flatten_util
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import quickstudy as qs
from quickstudy.mesh import on_given
from quickstudy.rl.adaptation import Measured, Trajectories
from quickstudy.rl.estimators import FirstOrder
from quickstudy.rl.maml import Meta, _Stored
from quickstudy.rl.trust_region import Linearised, TrustRegion, _for_fisher, fisher_product
from references.enumeration import ACTIONS, HORIZON, REAL, STATES, expected_return, random_mdp
from references.ways import Sampled, Ways

KEY = jax.random.key(0)
TASKS, STEPS = 8, 2
RATE = 1.5  # per step of an episode: 0.5 of the return's gradient


@pytest.fixture(autouse=True, scope="module")
def double():
    with jax.enable_x64(True):
        yield


class Enumerating(qs.Adaptation):
    """Rewards come times 32 ∏ p(s'), so that with π's probabilities a mean is an expectation."""

    def measured(self, paths):
        to_go = jnp.cumsum(paths.reward[:, ::-1], 1)[:, ::-1]
        chances = jnp.exp(jnp.sum(paths.log_prob, 1, keepdims=True))
        return Measured(to_go * chances, jnp.ones(()))


class World:
    """Eight MDPs, a policy, and all that is exact about them; θ is a vector."""

    def __init__(self):
        self.family = qs.TabularMDP(states=2, choices=2, horizon=HORIZON)
        policy = qs.Reactive.create(self.family, (3,), key=KEY)
        head = qs.Linear.create(3, 2, key=KEY)
        self.policy = eqx.tree_at(lambda p: p.head, policy, head)
        self.flat, self.policy_of = jax.flatten_util.ravel_pytree(self.policy)
        drawn = [random_mdp(key)[0] for key in jax.random.split(KEY, TASKS)]
        self.mdps = jax.tree.map(lambda *xs: jnp.stack(xs).astype(float), *drawn)

    def logits(self, theta):
        return self.policy_of(theta).actions(jnp.eye(2)).logits

    def earned(self, theta, mdp):
        """J(θ), per step."""
        return expected_return(self.logits(theta), mdp) / HORIZON

    def path(self, theta, mdp):
        """θ_0, θ_1, θ_2 along the true gradients."""
        found = [theta]
        for _ in range(STEPS):
            found.append(found[-1] + RATE * jax.grad(self.earned)(found[-1], mdp))
        return jnp.stack(found)

    def objective(self, theta):
        """J after adaptation, the mean over tasks."""
        return jnp.mean(
            jax.vmap(lambda mdp: self.earned(self.path(theta, mdp)[-1], mdp))(self.mdps)
        )

    def acted(self, theta):
        """All trajectories of each task, of the policy after each step `[tasks, steps, 32, 3]`."""

        def one(mdp):
            moves = jnp.prod(mdp[0][STATES[:, :-1], ACTIONS[:, :-1], STATES[:, 1:]], 1)
            reward = len(STATES) * moves[:, None] * mdp[1][STATES, ACTIONS]

            def of_policy(theta):
                logs = jax.nn.log_softmax(self.logits(theta))[STATES, ACTIONS]
                return Trajectories(jnp.eye(2)[STATES], ACTIONS, reward, logs, REAL)

            return jax.vmap(of_policy)(self.path(theta, mdp))

        paths = jax.vmap(one)(self.mdps)
        return jax.tree.map(lambda x: x[:, :-1], paths), jax.tree.map(lambda x: x[:, -1], paths)

    def maml(self, outer, estimator):
        adaptation = Enumerating(self.family, qs.Rate(RATE), estimator, trajectories=len(STATES))
        return qs.MAMLRL(self.policy, adaptation, outer, STEPS, TASKS)


@pytest.fixture(scope="module")
def world():
    return World()


def test_meta_gradient_through_two_steps(world):
    """Of the exact objective, by central differences; and a wrong estimator is far from it."""
    estimators = {"dice": qs.DiCE(), "naive": qs.Naive(), "first-order": FirstOrder()}

    @jax.jit
    def found(theta):
        stored, gradients = world.acted(theta), {}
        for name, estimator in estimators.items():
            algorithm = world.maml(qs.OuterAscent(optax.sgd(1.0)), estimator)
            after = algorithm.improve(algorithm.init(), *stored)[0].parameters
            gradients[name] = jax.flatten_util.ravel_pytree(after[0])[0] - theta
        return gradients

    @jax.jit
    def differences(theta, width):
        apart = width * jnp.eye(theta.size)
        ends = (jax.vmap(world.objective)(theta[None] + sign * apart) for sign in (1, -1))
        return jnp.subtract(*ends) / (2 * width)

    wanted, gradients = differences(world.flat, 1e-5), found(world.flat)
    size = jnp.linalg.norm(wanted)
    error = {name: float(jnp.linalg.norm(g - wanted) / size) for name, g in gradients.items()}
    assert float(size) > 1e-2
    assert error["dice"] < 1e-7
    assert error["naive"] > 0.05
    assert error["first-order"] > 0.05


@pytest.mark.parametrize("steps", [1, 2])
def test_score_term_gives_the_gradient_of_objective_two(world, steps):
    """Also with two inner steps, of which the second's trajectories were acted by θ_1(θ). Tasks
    are all there are, drawn without replacement: those beside one earn n / (n − 1) too little."""
    ways = Ways(world, steps, RATE)
    n = len(ways.numbers)

    @jax.jit
    def found(theta):
        (stored, mean), gradients = ways.stored(theta), []
        for estimator in (qs.Naive(), qs.ScoreTerm(qs.Naive())):
            adaptation = Sampled(world.family, qs.Rate(RATE), estimator, trajectories=1)
            ascent = qs.OuterAscent(optax.sgd(1.0))
            algorithm = qs.MAMLRL(world.policy, adaptation, ascent, steps, n)
            after = algorithm.improve(algorithm.init(), *stored)[0].parameters
            gradients.append(jax.flatten_util.ravel_pytree(after[0])[0] - theta)
        units = jax.vmap(adaptation.measured)(stored[1]).unit
        return gradients, ways.exact(theta, units, mean)

    (naive, both), wanted = found(world.flat)
    size = jnp.linalg.norm(wanted)
    assert float(jnp.linalg.norm(naive + (1 - 1 / n) * (both - naive) - wanted) / size) < 1e-9
    assert float(jnp.linalg.norm(naive - wanted) / size) > 0.05


def in_mesh(world, f, stored, adaptation=None):
    """f(θ, objective) inside the mesh, with every task where a step has it; DiCE's, by default."""
    adaptation = adaptation or world.maml(qs.OuterTrustRegion(), qs.DiCE()).adaptation
    parameters = (world.policy, qs.Rate(RATE))

    def share(_, stored, real):
        meta = Meta(world.policy, adaptation, TASKS)
        return f(parameters, meta.on(_Stored(*stored, real)))

    return on_given(share, None, stored)


def test_fisher_products(world):
    """Of the adapted policies, through the adaptation: against the explicit matrix
    E[Σ_a π(a) ∇log π(a) ∇log π(a)ᵀ], of all tasks, and of every n-th."""
    v = jax.random.normal(KEY, world.flat.shape)
    along = (world.policy_of(v), qs.Rate(RATE))

    @jax.jit
    def products(theta):
        def of_tasks(parameters, objective):
            found = []
            for every in (1, 2, 3):
                problem = qs.OuterTrustRegion(curvature_every=every).problem(objective)
                here = Linearised.at(parameters, problem.outputs)
                product = fisher_product(*_for_fisher(parameters, problem, here))
                found.append(jax.flatten_util.ravel_pytree(product(along))[0])
            return found

        return in_mesh(world, of_tasks, world.acted(theta))

    @jax.jit
    def matrices(theta):
        def one(mdp):
            logs = lambda t: jax.nn.log_softmax(world.logits(world.path(t, mdp)[-1]))  # noqa: E731
            by_state = jnp.einsum(
                "sa,sai,saj->sij", jnp.exp(logs(theta)), *2 * [jax.jacobian(logs)(theta)]
            )
            return jnp.mean(by_state[STATES], (0, 1))

        return jax.vmap(one)(world.mdps)

    matrix = matrices(world.flat)
    for found, tasks in zip(products(world.flat), (range(8), [0, 2, 4, 6], [0, 3, 6]), strict=True):
        np.testing.assert_allclose(found, matrix[jnp.array([*tasks])].mean(0) @ v, atol=1e-12)
    assert float(jnp.abs(matrix @ v).max()) > 1e-3


@pytest.mark.parametrize("baseline", [qs.LinearBaseline(), qs.ValueNetwork(widths=(4,), steps=3)])
def test_a_task_does_not_touch_another(world, baseline):
    """Whatever was paid and done in the others, nonsense even, a task's adapted policy and its
    advantages have the same bits: nobody else's rewards are in its baseline, nor in its unit."""
    adaptation = qs.Adaptation(
        world.family, qs.Rate(RATE), qs.DiCE(), trajectories=len(STATES), baseline=baseline
    )

    @jax.jit
    def found(theta, change):
        sets, after = world.acted(theta)

        def changed(paths):
            other = change * jax.random.normal(KEY, paths.reward[1:].shape)
            done = jnp.where(change > 0, paths.action.at[1:].set(0), paths.action)
            return paths._replace(reward=paths.reward.at[1:].add(other), action=done)

        def first(parameters, objective):
            mine = jax.lax.axis_index("tasks") == 0
            here = objective.adapted(parameters).actions.logits, objective.advantage
            return [jax.lax.psum(jnp.where(mine, x, 0.0), "tasks") for x in here]

        return in_mesh(world, first, (changed(sets), changed(after)), adaptation)

    for usual, other in zip(found(world.flat, 0.0), found(world.flat, 1e3), strict=True):
        np.testing.assert_array_equal(usual[0], other[0])
        assert not np.allclose(usual[1], other[1])


def test_every_accepted_step_stays_in_the_region(world):
    """The KL worked out by hand from the adapted policies before and after, over several steps;
    and they lead up the exact objective."""
    region = TrustRegion(radius=1e-2, damping=1e-4)
    algorithm = world.maml(qs.OuterTrustRegion(region), qs.DiCE())

    @eqx.filter_jit
    def step(state):
        sets, after = world.acted(jax.flatten_util.ravel_pytree(state.parameters[0])[0])
        better, metrics = algorithm.improve(state, sets, after)

        def logs(state, sets, after):
            there = algorithm.adaptation.replay(state.parameters[0], sets)
            return jax.nn.log_softmax(there.actions(after.observation.reshape(-1, 2)).logits)

        old, new = (jax.vmap(logs, (None, 0, 0))(s, sets, after) for s in (state, better))
        return better, metrics, jnp.mean(jnp.sum(jnp.exp(old) * (old - new), -1))

    state, accepted = algorithm.init(), 0
    for _ in range(6):
        state, metrics, apart = step(state)
        accepted += int(metrics["accepted"])
        assert float(apart) <= region.radius
        np.testing.assert_allclose(metrics["kl"], apart, rtol=1e-6, atol=1e-12)
    assert accepted >= 5
    earned = jax.jit(world.objective)
    final = jax.flatten_util.ravel_pytree(state.parameters[0])[0]
    assert float(earned(final)) > float(earned(world.flat)) + 0.05

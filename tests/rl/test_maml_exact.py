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
from quickstudy.envs.tabular import Table
from quickstudy.mesh import dealt, on_shares, total
from quickstudy.rl.adaptation import path_log_probs, policy_actions
from quickstudy.rl.estimators import FirstOrderEstimator
from quickstudy.rl.maml import Meta, _Stored
from quickstudy.rl.trust_region import Linearised, TrustRegion, _for_fisher, fisher_product
from quickstudy.training.algorithm import update
from references.enumeration import HORIZON, REAL, STATES, to_go
from references.worlds import RATE, TASKS, Sampled, Ways, World

KEY, DONE = jax.random.key(0), jnp.ones(())


@pytest.fixture(autouse=True, scope="module")
def double():
    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="module")
def world():
    return World()


@eqx.filter_jit
def differences(f, at, width=1e-5):
    """∇f by central differences."""
    apart = width * jnp.eye(at.size)
    ends = (jax.vmap(f)(at[None] + sign * apart) for sign in (1, -1))
    return jnp.subtract(*ends) / (2 * width)


def test_meta_gradient_through_two_steps(world):
    """Of the exact objective, by central differences; and a wrong estimator is far from it."""
    estimators = {"dice": qs.DiCE(), "naive": qs.Naive(), "first-order": FirstOrderEstimator()}

    @jax.jit
    def found(theta):
        stored, gradients = world.acted(theta), {}
        for name, estimator in estimators.items():
            algorithm = world.maml(qs.OuterAscent(optax.sgd(1.0)), estimator)
            after = algorithm.improve(algorithm.init(), dealt(stored), DONE)[0].parameters
            gradients[name] = jax.flatten_util.ravel_pytree(after[0])[0] - theta
        return gradients

    wanted, gradients = differences(world.objective, world.flat), found(world.flat)
    size = jnp.linalg.norm(wanted)
    error = {name: float(jnp.linalg.norm(g - wanted) / size) for name, g in gradients.items()}
    assert float(size) > 1e-2
    assert error["dice"] < 1e-7
    assert error["naive"] > 0.05
    assert error["first-order"] > 0.05


def test_learned_rates_are_part_of_the_meta_gradient(world):
    """Meta-SGD: ∇ by each parameter and by each of their rates, which all differ, of the exact
    objective by central differences."""
    n = world.flat.size
    rates = RATE * (1 + jax.random.uniform(KEY, (n,)))

    @jax.jit
    def found(theta, rates):
        rule = qs.LearnedRates(world.policy_of(rates))
        algorithm = world.maml(qs.OuterAscent(optax.sgd(1.0)), qs.DiCE(), rule)
        stored = dealt(world.acted(theta, rates))
        after = algorithm.improve(algorithm.init(), stored, DONE)[0].parameters
        return jax.flatten_util.ravel_pytree(after)[0] - jnp.append(theta, rates)

    wanted = differences(
        lambda both: world.objective(both[:n], both[n:]), jnp.append(world.flat, rates)
    )
    error = found(world.flat, rates) - wanted
    assert float(jnp.linalg.norm(error[:n]) / jnp.linalg.norm(wanted[:n])) < 1e-7
    assert float(jnp.linalg.norm(error[n:]) / jnp.linalg.norm(wanted[n:])) < 1e-7
    assert float(jnp.linalg.norm(wanted[n:])) > 1e-3


@pytest.mark.parametrize("scored", [1, 2])
def test_an_offset_and_earlier_policies_are_part_of_the_meta_gradient(world, scored):
    """∇ by θ and by what the first step adds to it, of the exact mean of J(θ_2), or of J(θ_1) and
    J(θ_2), by central differences; the two objectives have gradients that differ."""
    n = world.flat.size
    offset = 0.3 * jax.random.normal(KEY, (n,))

    @jax.jit
    def found(theta, offset):
        rule = qs.Offset(qs.Rate(RATE), world.policy_of(offset))
        algorithm = world.maml(qs.OuterAscent(optax.sgd(1.0)), qs.DiCE(), rule, scored)
        stored = dealt(world.acted(theta, offset=offset))
        after = algorithm.improve(algorithm.init(), stored, DONE)[0].parameters
        return jax.flatten_util.ravel_pytree(after)[0] - jnp.append(theta, offset)

    def exact(scored):
        return differences(
            lambda both: world.objective(both[:n], offset=both[n:], scored=scored),
            jnp.append(world.flat, offset),
        )

    wanted, other = exact(scored), exact(3 - scored)
    gradient = found(world.flat, offset)
    for part in (slice(n), slice(n, None)):
        size = float(jnp.linalg.norm(wanted[part]))
        assert float(jnp.linalg.norm(gradient[part] - wanted[part])) < 1e-7 * size
        assert float(jnp.linalg.norm(gradient[part] - other[part])) > 0.05 * size


def test_two_scored_policies_are_the_mean_of_one_after_each(world):
    """The surrogate, E-MAML's term included, its gradient, and the products with the Fisher
    matrix: of the policies after one and two updates, those of training with one and with two."""
    estimator = qs.ScoreTerm(qs.Naive())
    adaptation = qs.Adaptation(world.family, qs.Rate(RATE), estimator, trajectories=len(STATES))
    sets, after = jax.jit(world.acted)(world.flat)
    first = jax.tree.map(lambda x: x[:, :1], sets), jax.tree.map(lambda x: x[:, 1], sets)
    along = (world.policy_of(jax.random.normal(KEY, world.flat.shape)), qs.Rate(RATE))

    def found(stored, scored):
        def measures(parameters, objective):
            problem = qs.OuterTrustRegion().problem(objective)
            here = Linearised.at(parameters, problem.outputs)
            fisher = fisher_product(*_for_fisher(parameters, problem, here))(along)
            value, slope = jax.value_and_grad(problem.surrogate)(here.outputs)
            return fisher, total((value, here.pull(slope)))

        found = jax.jit(lambda s: in_mesh(world, measures, s, adaptation, scored))(stored)
        return jax.flatten_util.ravel_pytree(found)[0]

    one, two, both = found(first, 1), found((sets, after), 1), found((sets, after), 2)
    np.testing.assert_allclose(both, (one + two) / 2, rtol=1e-9, atol=1e-12)
    assert float(jnp.abs(one - two).max()) > 1e-2


@pytest.mark.parametrize("steps", [1, 2])
def test_score_term_gives_the_gradient_of_objective_two(world, steps):
    """Also with two inner steps, of which the second's trajectories were acted by θ_1(θ). Tasks
    are all there are, drawn without replacement: those beside one earn n / (n − 1) too little."""
    ways = Ways(world, steps)
    n = len(ways.numbers)

    @jax.jit
    def found(theta):
        (stored, mean), gradients = ways.stored(theta), []
        for estimator in (qs.Naive(), qs.ScoreTerm(qs.Naive())):
            adaptation = Sampled(world.family, qs.Rate(RATE), estimator, trajectories=1)
            ascent = qs.OuterAscent(optax.sgd(1.0))
            algorithm = qs.MAMLRL(world.policy, adaptation, ascent, steps, n)
            after = algorithm.improve(algorithm.init(), dealt(stored), DONE)[0].parameters
            gradients.append(jax.flatten_util.ravel_pytree(after[0])[0] - theta)
        units = jax.vmap(adaptation.measured)(stored[1]).unit
        return gradients, ways.exact(theta, units, mean)

    (naive, both), wanted = found(world.flat)
    size = jnp.linalg.norm(wanted)
    assert float(jnp.linalg.norm(naive + (1 - 1 / n) * (both - naive) - wanted) / size) < 1e-9
    assert float(jnp.linalg.norm(naive - wanted) / size) > 0.05


def test_in_one_unit_for_all_tasks_advantages_are_rewards(world):
    """Of both policies, and the worth of the score term, too; by default each has its own unit."""
    estimator = qs.ScoreTerm(qs.Naive())
    adaptation = qs.Adaptation(world.family, qs.Rate(RATE), estimator, trajectories=len(STATES))
    sets, after = jax.jit(world.acted)(world.flat)

    def measures(parameters, objective):
        own = objective.taken.advantage, objective.gain
        return jax.lax.all_gather(own, "tasks", tiled=True)

    def found(unit):
        return jax.jit(lambda s: in_mesh(world, measures, s, adaptation, 2, unit))((sets, after))

    (own, own_gain), (shared, shared_gain) = found("task"), found("mean")
    acted = jax.tree.map(lambda x, y: jnp.stack([x[:, 1], y], 1), sets, after)
    units = jax.vmap(jax.vmap(lambda paths: adaptation.measured(paths).unit))(acted)
    assert float(jnp.std(units)) > 0.01 * float(jnp.mean(units))
    rewards = own * units[:, :, None, None]
    np.testing.assert_allclose(shared, rewards / jnp.mean(units), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(shared_gain, own_gain * units / jnp.mean(units), rtol=1e-9)


class Fixed(qs.TabularMDP):
    """One MDP of `World`, whose rewards have no noise."""

    def sample(self, key):
        moves, rewards = jax.tree.map(lambda x: x[0], World().mdps)
        return Table(moves, rewards)

    def step(self, key, state, action, task):
        return super().step(key, state, action, task)._replace(reward=task.rewards[state, action])


SAMPLED = {
    "first-order": FirstOrderEstimator(),
    "naive": qs.Naive(),
    "lvc": qs.LVC(),
    "dice": qs.DiCE(),
    "score term": qs.ScoreTerm(qs.Naive()),
}


def expected(ways, theta, estimator):
    """The mean of what `MAMLRL` climbs with one inner trajectory per task."""
    weights, old = map(jax.lax.stop_gradient, (ways.chances(theta), ways.logs(theta)))
    later = to_go(ways.mdp)

    def objective(theta):
        def one(i):
            of_one = lambda t: ways.logs(t)[i][None]  # noqa: E731
            surrogate = lambda t: estimator.surrogate(  # noqa: E731
                of_one(t), old[i][None], later[i][None], REAL[i][None]
            )
            last = theta + RATE * estimator.gradient(surrogate, theta) / HORIZON
            earned = ways.chances(last) @ later[:, 0]
            score = estimator.score(of_one(theta), REAL[i][None])[0]
            return weights[i] * (earned + score * jax.lax.stop_gradient(earned))

        return jnp.sum(jax.vmap(one)(jnp.arange(len(STATES)))) / HORIZON

    return jax.grad(objective)(theta)


def test_sampled_meta_gradients_have_their_enumerated_means(world):
    """What the library acts, adapts and climbs by itself, 100 times in 512 tasks: every number of
    each mean lies within its interval, all of them at 99.9 %, and without others' values."""
    family, ways = Fixed(states=2, choices=2, horizon=HORIZON), Ways(world, 1)
    wanted = {
        name: jax.jit(lambda t, e=estimator: expected(ways, t, e))(world.flat)
        for name, estimator in SAMPLED.items()
    }
    apart = {}
    for name, estimator in SAMPLED.items():
        adaptation = Sampled(family, qs.Rate(RATE), estimator, trajectories=1)
        ascent = qs.OuterAscent(optax.sgd(1.0))
        algorithm = qs.MAMLRL(world.policy, adaptation, ascent, 1, 512)
        step = eqx.filter_jit(update)
        found = []
        for key in jax.random.split(KEY, 100):
            after = step(algorithm, algorithm.init(), key, jnp.zeros(()))[0].parameters[0]
            found.append(jax.flatten_util.ravel_pytree(after)[0] - world.flat)
        found = np.stack(found)
        error = found.std(0, ddof=1) / len(found) ** 0.5 + 1e-12
        apart[name] = {
            other: float(np.max(np.abs(found.mean(0) - value) / error))
            for other, value in wanted.items()
        }
    within = 4.4  # Student's t, 99 degrees of freedom, one of 17 numbers at 0.1 % / 17
    for name, others in apart.items():
        assert others.pop(name) < within, name
        assert min(others.values()) > within, (name, others)


def in_mesh(world, f, stored, adaptation=None, scored=1, unit="task"):
    """f(θ, objective) inside the mesh, with every task where a step has it; DiCE's, by default."""
    adaptation = adaptation or world.maml(qs.OuterTrustRegion(), qs.DiCE()).adaptation
    parameters = (world.policy, qs.Rate(RATE))

    def share(_, stored, real):
        meta = Meta(world.policy, adaptation, TASKS, scored, unit)
        return f(parameters, meta.on(_Stored(*stored, real)))

    return on_shares(share, None, dealt(stored))


def fisher_along(world, v, stored, every=1, adaptation=None):
    """F v, of every n-th trajectory, by the outer rule's own products."""
    along = (world.policy_of(v), qs.Rate(RATE))

    def product(parameters, objective):
        problem = qs.OuterTrustRegion(curvature_every=every).problem(objective)
        here = Linearised.at(parameters, problem.outputs)
        fisher = fisher_product(*_for_fisher(parameters, problem, here))
        return jax.flatten_util.ravel_pytree(fisher(along))[0]

    return in_mesh(world, product, stored, adaptation)


def test_fisher_products(world):
    """Of the adapted policies, through the adaptation: against the explicit matrix
    E[Σ_a π(a) ∇log π(a) ∇log π(a)ᵀ]."""
    v = jax.random.normal(KEY, world.flat.shape)
    found = jax.jit(lambda theta: fisher_along(world, v, world.acted(theta)))

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
    np.testing.assert_allclose(found(world.flat), matrix.mean(0) @ v, atol=1e-12)
    assert float(jnp.abs(matrix @ v).max()) > 1e-3


@pytest.mark.parametrize("every", [2, 3])
def test_fisher_products_of_every_nth_trajectory(world, every):
    """Against Jᵀ M J, dense, of policies that are adapted by hand: on trajectories 0, n, 2n …
    before and after, with the advantages that these have among all."""
    v = jax.random.normal(KEY, world.flat.shape)
    adaptation = qs.Adaptation(world.family, qs.Rate(RATE), qs.DiCE(), trajectories=len(STATES))
    found = jax.jit(lambda stored: fisher_along(world, v, stored, every, adaptation))

    def logits(theta, sets, seen):
        """Where one step leads, at `seen`."""
        paths = jax.tree.map(lambda x: x[0], sets)
        advantage = adaptation.advantage(paths)[::every]
        kept = jax.tree.map(lambda x: x[::every], paths)

        def surrogate(theta):
            log_prob = path_log_probs(world.policy_of(theta), kept)
            return adaptation.estimator.surrogate(log_prob, kept.log_prob, advantage, kept.real)

        there = theta + RATE * jax.grad(surrogate)(theta) / HORIZON
        return policy_actions(world.policy_of(there), seen).logits

    @jax.jit
    def wanted(theta, stored):
        def one(sets, after):
            seen = jax.tree.map(lambda x: x[::every], after)
            to_logits = lambda t: logits(t, sets, seen).reshape(-1, 2)  # noqa: E731
            p, jacobian = jax.nn.softmax(to_logits(theta)), jax.jacobian(to_logits)(theta)
            curved = p[:, :, None] * (jnp.eye(2)[None] - p[:, None])
            return jnp.einsum("nai,nab,nbj,j->i", jacobian, curved, jacobian, v) / len(p)

        return jnp.mean(jax.vmap(one)(*stored), 0)

    stored = jax.jit(world.acted)(world.flat)
    first = jax.tree.map(lambda x: x[:, :1], stored[0]), stored[1]
    expected = wanted(world.flat, first)
    assert float(jnp.abs(expected).max()) > 1e-3
    np.testing.assert_allclose(found(first)[: len(v)], expected, rtol=1e-9, atol=1e-12)


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
            here = objective.adapted(parameters).actions.logits, objective.taken.advantage
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
        better, metrics = algorithm.improve(state, dealt((sets, after)), DONE)

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

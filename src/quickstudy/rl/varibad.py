"""VariBAD: a belief over tasks that is learned by predicting, and a policy that acts by it.

Zintgraf et al., 2020, https://arxiv.org/abs/1910.08348. An encoder reads the trial so far and says
q(m | τ_:t); decoders predict the whole trial, past and future, from m ~ q_t; a policy reads o_t and
q_t, and is improved as RL²'s is. Where RL² must learn from rewards alone what to remember, here
every step of every trial teaches it.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Scalar

from quickstudy.envs.host import Host
from quickstudy.errors import BadInput, demand_counts
from quickstudy.mesh import Metrics, Shares, on_shares, total
from quickstudy.rl.belief import TaskBelief, believed, reading_beliefs
from quickstudy.rl.decoder import Decoder, Transitions, transitions
from quickstudy.rl.distributions import Gaussian
from quickstudy.rl.policy import MetaPolicy
from quickstudy.rl.rl2 import RL2, RL2State, demand_filled
from quickstudy.rl.rollout import Rollout
from quickstudy.rl.scale import Scaled

SMALLEST = 1e-6  # the least variance of a prediction: rewards may all be equal


class Model(eqx.Module):
    """What is learned by predicting: the encoder and the decoders."""

    belief: TaskBelief
    decoders: tuple[Decoder, ...]


class VariBADState(eqx.Module):
    """What training carries: actor and critic, the model, and the model's optimiser's state."""

    acting: RL2State
    model: Any
    optimiser: Any


class ModelBatch(NamedTuple):
    """What the model learns from, `[trials]`.

    Attributes:
        xs: `[time]`, what the encoder reads.
        steps: `[time]`, what is predicted.
        key: decides the samples of m.
    """

    xs: Float[Array, "trials time inputs"]
    steps: Transitions
    key: Any


class VariBAD(eqx.Module):
    """VariBAD in the form that `quickstudy.fit` drives: collect trials, improve the policy, then
    the model, and repeat.

        max  Σ_t ELBO_t,   ELBO_t = E_{m ~ q_t}[Σ_i log p(r_i, o_{i+1} | o_i, a_i, m)]
                                    − β KL(q_t ‖ q_{t−1}),      q_0 = N(0, I)

    i runs over the whole trial, whatever t is. Predictions are Gaussian, with the variance that
    makes the batch likeliest: then rewards of any size weigh alike.

    The model learns from the trials that the policy is improved on, which are always new; the paper
    keeps a buffer of older ones. Actor and critic have an optimiser of their own, and their loss
    does not change the belief.

    Attributes:
        rl2: acts and improves; the memory of its policy is a `TaskBelief`.
        decoders: what is predicted.
        optimiser: descends −Σ ELBO_t.
        kl_weight: β; 1 is the bound itself.
        posteriors: how many q_t of a trial are decoded at most, drawn anew each time; 0 for all.
        epochs: passes of the model over a step's trials.
        minibatches: how many shares of trials a pass is made of.

    Raises:
        BadInput: the policy's memory is no `TaskBelief`, trials are cut or in a row, or there is
            nothing to predict.
    """

    rl2: RL2
    decoders: tuple[Decoder, ...]
    optimiser: optax.GradientTransformation = eqx.field(static=True)
    kl_weight: float = eqx.field(static=True, default=1.0)
    posteriors: int = eqx.field(static=True, default=0)
    epochs: int = eqx.field(static=True, default=1)
    minibatches: int = eqx.field(static=True, default=4)

    def __check_init__(self) -> None:
        counts = {"epochs": self.epochs, "minibatches": self.minibatches}
        demand_counts(**counts, decoders=len(self.decoders))
        belief_of(self.rl2.policy)
        name = "minibatches of the model (--model-minibatches)"
        demand_filled(self.minibatches, self.rl2.trials, name)
        if self.rl2.parts != 1 or self.rl2.trial.in_a_row != 1:
            raise BadInput("a belief is over one whole trial: give parts=1 and in_a_row=1")

    @property
    def host(self) -> Host | None:
        """What steps the trials' environments, if not the compiled program."""
        return self.rl2.host

    @property
    def model(self) -> Model:
        """The untrained model."""
        return Model(belief_of(self.rl2.policy), self.decoders)

    def init(self) -> VariBADState:
        """The state before the first step."""
        model = eqx.filter(self.model, eqx.is_inexact_array)
        return VariBADState(self._heads().init(), model, self.optimiser.init(model))

    def learned(self, state: VariBADState) -> MetaPolicy | Scaled:
        """The policy with the belief and the scale of that state; to act, no decoder is needed."""
        return state.acting.scale.worn(self._policy(state))

    def collect(self, state: VariBADState, key: PRNGKeyArray) -> Shares:
        """Trials with π_θ, and a key for each. The key is consumed."""
        act_key, model_key = jax.random.split(key)
        found = self.rl2.collect(self._acting(state), act_key, shares=self.minibatches)
        # A row's number is the trial's, on any number of devices.
        numbers = jnp.arange(found.real.shape[0])
        keys = jax.vmap(jax.random.fold_in, (None, 0))(model_key, numbers)
        return Shares((found.rows, keys), found.real)

    def improve(
        self, state: VariBADState, batch: Shares, progress: Float[Array, ""]
    ) -> tuple[VariBADState, Metrics]:
        """Improve π_θ on trials that it has acted in, then the model on the same."""
        fixed, rest = eqx.partition(self, eqx.is_array)

        def share(arguments: Any, rows: Any, real: Any) -> tuple[VariBADState, Metrics]:
            state, fixed = arguments
            algorithm: VariBAD = eqx.combine(fixed, rest)
            return algorithm._improved(state, rows, real)

        return on_shares(share, (state, fixed), batch)

    def validate(self, state: VariBADState, key: PRNGKeyArray) -> Metrics:
        """The mean reward of a trial in fresh MDPs, always the same ones."""
        return self.rl2.validate(self._acting(state), key)

    def _heads(self) -> RL2:
        """RL² of the actor and the critic alone, which read beliefs."""
        return eqx.tree_at(lambda r: r.policy, self.rl2, reading_beliefs(self.rl2.policy))

    def _policy(self, state: VariBADState) -> MetaPolicy:
        heads = eqx.combine(state.acting.parameters, self._heads().policy)
        belief = eqx.combine(state.model, self.model).belief
        return replace(heads, memory=belief, told=self.rl2.policy.told)

    def _acting(self, state: VariBADState) -> RL2State:
        """RL²'s, of the whole policy."""
        parameters = eqx.filter(self._policy(state), eqx.is_inexact_array)
        return RL2State(parameters, None, state.acting.scale)

    def _improved(
        self, state: VariBADState, rows: tuple[Rollout, Any], real: Bool[Array, " trials"]
    ) -> tuple[VariBADState, Metrics]:
        """From a device's share."""
        rl2, policy = self._heads(), self._policy(state)
        paths, scale = rl2.scaled(state.acting, rows[0], real)
        # Before the model moves: advantages and ratios are of the beliefs that were acted by.
        read = paths._replace(seen=jax.vmap(believed, (None, 0))(policy, paths.seen), states=None)
        heads = eqx.combine(state.acting.parameters, rl2.policy)
        heads, optimiser, metrics = rl2.improved(heads, state.acting.optimiser, read, real, scale)
        acting = RL2State(eqx.filter(heads, eqx.is_inexact_array), optimiser, scale)
        # In the scale of what the encoder reads.
        paid = paths._replace(reward=state.acting.scale.pay(paths.reward))
        steps = jax.vmap(transitions, (0, None))(paid, rl2.trial)
        steps = steps._replace(real=steps.real & real[:, None])
        xs = jax.vmap(jax.vmap(policy.told))(paths.seen)
        model, optimiser, found = self._fitted(state, ModelBatch(xs, steps, rows[1]))
        return VariBADState(acting, model, optimiser), {**metrics, **found}

    def _fitted(self, state: VariBADState, told: ModelBatch) -> tuple[Any, Any, Metrics]:
        """The model after `epochs` passes."""
        n = self.minibatches
        # Dealt in turn: padding is at the end of a device's trials.
        shares = jax.tree.map(
            lambda x: jnp.moveaxis(x.reshape(len(x) // n, n, *x.shape[1:]), 1, 0), told
        )

        def descend(carry: Any, share: ModelBatch) -> tuple[Any, Metrics]:
            model, state = carry
            gradient, metrics = self._gradient(model, share)
            updates, state = self.optimiser.update(gradient, state, model)
            return (optax.apply_updates(model, updates), state), metrics

        def epoch(carry: Any, number: Array) -> Any:
            fresh = jax.vmap(jax.vmap(jax.random.fold_in, (0, None)), (0, None))(shares.key, number)
            return jax.lax.scan(descend, carry, shares._replace(key=fresh))

        start, numbers = (state.model, state.optimiser), jnp.arange(self.epochs)
        (model, optimiser), metrics = jax.lax.scan(epoch, start, numbers)
        return model, optimiser, jax.tree.map(jnp.mean, metrics)

    def _gradient(self, parameters: Any, told: ModelBatch) -> tuple[Any, Metrics]:
        """Of −ELBO_t, meaned over the real steps t of all devices."""

        def summed(parameters: Any) -> tuple[Scalar, Metrics]:
            model = eqx.combine(parameters, self.model)
            likely, divergence, errors = self.bounds(model, told)
            bound = likely - self.kl_weight * divergence
            return -bound, {"elbo": bound, "belief_kl": divergence, **errors}

        (_, sums), gradient = jax.value_and_grad(summed, has_aux=True)(parameters)
        gradient, sums, count = total((gradient, sums, jnp.sum(told.steps.real)))
        share = 1 / jnp.maximum(count, 1)
        return jax.tree.map(lambda x: x * share, (gradient, sums))

    def bounds(self, model: Model, told: ModelBatch) -> tuple[Scalar, Scalar, Metrics]:
        """Σ_t E[Σ_i log p] and Σ_t KL(q_t ‖ q_{t−1}) over a device's trials, and Σ_t of each
        decoder's mean error; inside `quickstudy.mesh.on_shares`."""
        q = jax.vmap(model.belief.posteriors)(told.xs)
        real = told.steps.real
        divergence = jnp.sum(jnp.where(real, jax.vmap(divergences)(q), 0.0))
        m, counted = jax.vmap(self._sampled)(q, real, told.key)
        likely, errors = jnp.zeros(()), {}
        for decoder in model.decoders:
            error = jax.vmap(decoder.errors)(m, told.steps)
            pairs = counted[:, :, None] & jax.vmap(decoder.counts)(told.steps)[:, None, :]
            logs, mean = fitted_log_prob(error, pairs)
            likely = likely + jnp.sum(logs) * real.shape[1] / m.shape[1]
            errors[f"{decoder.predicts}_error"] = mean * jnp.sum(real)
        return likely, divergence, errors

    def _sampled(
        self, q: Gaussian, real: Bool[Array, " time"], key: PRNGKeyArray
    ) -> tuple[Float[Array, "n latent"], Bool[Array, " n"]]:
        """m ~ q_t of n times, and which of these are real. The key is consumed."""
        time_key, noise_key = jax.random.split(key)
        if self.posteriors:
            times = jax.random.permutation(time_key, real.shape[0])[: self.posteriors]
            q, real = jax.tree.map(lambda x: x[times], (q, real))
        noise = jax.random.normal(noise_key, q.mean.shape)
        return q.mean + jnp.exp(q.log_std) * noise, real


def divergences(q: Gaussian) -> Float[Array, " time"]:
    """KL(q_t ‖ q_{t−1}) of a trial, in nats; at its first step from the prior N(0, I).

    Example:
        >>> q = Gaussian(jnp.array([[0.0], [1.0], [1.0]]), jnp.zeros((3, 1)))
        >>> divergences(q).tolist()
        [0.0, 0.5, 0.0]
    """
    before = jax.tree.map(lambda x: jnp.concatenate([jnp.zeros_like(x[:1]), x[:-1]]), q)
    return q.divergence(before)


def fitted_log_prob(
    errors: Float[Array, "*pairs outputs"], real: Bool[Array, "*pairs"]
) -> tuple[Float[Array, "*pairs"], Scalar]:
    """log N(error; 0, σ²), σ² the mean squared error of each output over all that is real, on all
    devices; and the mean over outputs of σ². Inside `quickstudy.mesh.on_shares`.

    The variance of the greatest likelihood needs no rate of its own (Rybkin et al., 2021,
    https://arxiv.org/abs/2006.13202).

    Args:
        errors: squared.
        real: which count; the others have 0.
    """
    counted = real[..., None]
    fixed = jnp.where(counted, jax.lax.stop_gradient(errors), 0.0)
    sums = jnp.sum(fixed, range(real.ndim), keepdims=True)
    sums, count = total((sums, jnp.sum(real)))
    mean = sums / jnp.maximum(count, 1)
    variance = jnp.maximum(mean, SMALLEST)
    logs = -0.5 * (errors / variance + jnp.log(2 * jnp.pi * variance))
    return jnp.sum(jnp.where(counted, logs, 0.0), -1), jnp.mean(mean)


def belief_of(policy: MetaPolicy) -> TaskBelief:
    """What a policy believes by.

    Raises:
        BadInput: its memory is no `TaskBelief`.
    """
    if isinstance(policy.memory, TaskBelief):
        return policy.memory
    raise BadInput(
        f"the policy remembers by a {type(policy.memory).__name__}, and VariBAD needs a "
        "TaskBelief: make it with quickstudy.belief_policy"
    )

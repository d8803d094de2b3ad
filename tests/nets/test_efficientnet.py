import jax
import jax.numpy as jnp
import numpy as np

from quickstudy.nets.efficientnet import EfficientNetLite, shapes


def test_it_has_the_published_numbers_of_blocks_and_parameters():
    net = jax.eval_shape(lambda: EfficientNetLite.create(key=jax.random.key(0)))
    kernels = sum(leaf.size for leaf in jax.tree.leaves(net) if len(leaf.shape) > 1)
    biases = sum(leaf.size for leaf in jax.tree.leaves(net) if len(leaf.shape) == 1)
    assert len(shapes()) == 16
    # Published: 4,652,008, with 1,281,000 of the classifier, and a scale where we have none.
    assert kernels + 2 * biases + 1_281_000 == 4_652_008


def test_an_image_s_features_do_not_depend_on_its_batch():
    net = EfficientNetLite.create(key=jax.random.key(0))
    first, second = np.random.default_rng(0).normal(size=(2, 32, 48, 3)).astype(np.float32)
    run = jax.jit(lambda net, x: net(x))
    one, other = run(net, np.stack([first, second])), run(net, np.stack([second, second]))
    assert one.shape == (2, net.features) == (2, 1280)
    np.testing.assert_allclose(one[1], other[0], rtol=1e-5, atol=1e-6)
    assert float(jnp.abs(one[0] - one[1]).max()) > 1e-3

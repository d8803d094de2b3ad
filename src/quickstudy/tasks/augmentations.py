"""Augmentations of natural images, drawn for every image inside the compiled step."""

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, PRNGKeyArray

from quickstudy.errors import BadInput
from quickstudy.tasks.reading import LUMA
from quickstudy.tasks.transforms import Transform

Images = Float[Array, "n h w c"]
Image = Float[Array, "h w c"]
_MODES: dict[str, str] = {"reflect": "reflect", "edge": "edge", "zero": "constant"}


class RandomCrop(eqx.Module):
    """A window of the image's own size, at a random place of the padded image.

    With padding p, output pixel (i, j) is padded pixel (i + r, j + s), r, s ~ U{0 ... 2p}, and
    (r, s) = (p, p) is the image itself.

    Attributes:
        padding: p, pixels on each side.
        border: what the padding shows: the image mirrored in its outermost pixels (`reflect`),
            those pixels repeated (`edge`), or black (`zero`).

    Raises:
        BadInput: p is negative, or no border of that name; or, with `reflect`, p is not below the
            image's height and width.

    Example:
        >>> image = jnp.arange(4.0).reshape(1, 2, 2, 1)
        >>> found = RandomCrop(1, "edge")(image, jnp.zeros(1, int), key=jax.random.key(0))
        >>> found.shape
        (1, 2, 2, 1)
    """

    padding: int = eqx.field(static=True)
    border: str = eqx.field(static=True, default="reflect")

    def __check_init__(self):
        if self.padding < 0:
            raise BadInput(f"padding is {self.padding}; give a number of pixels, 0 or more")
        if self.border not in _MODES:
            raise BadInput(f"border is {self.border!r}; give one of {', '.join(_MODES)}")

    def __call__(self, images: Images, labels: Int[Array, " n"], *, key: PRNGKeyArray) -> Images:
        """Crop the images `[n, h, w, c]`, each on its own. The key is consumed."""
        p, (h, w) = self.padding, images.shape[1:3]
        if self.border == "reflect" and p >= min(h, w):
            raise BadInput(
                f"padding is {p} and images are {h}×{w}, which cannot be mirrored so far; give "
                f"{min(h, w) - 1} or less, or the border edge or zero"
            )
        padded = jnp.pad(images, ((0, 0), (p, p), (p, p), (0, 0)), mode=_MODES[self.border])

        def window(image: Image, own: PRNGKeyArray) -> Float[Array, "H W c"]:
            row, column = jax.random.randint(own, (2,), 0, 2 * p + 1)
            return jax.lax.dynamic_slice(image, (row, column, 0), images.shape[1:])

        return jax.vmap(window)(padded, jax.random.split(key, len(images)))


class RandomFlip(eqx.Module):
    """Left and right exchanged, in half of the images.

    Example:
        >>> image = jnp.array([0.0, 1.0]).reshape(1, 1, 2, 1)
        >>> flip, labels = RandomFlip(), jnp.zeros(1, int)
        >>> sorted({tuple(flip(image, labels, key=jax.random.key(i)).ravel().tolist())
        ...         for i in range(9)})
        [(0.0, 1.0), (1.0, 0.0)]
    """

    def __call__(self, images: Images, labels: Int[Array, " n"], *, key: PRNGKeyArray) -> Images:
        """Flip the images `[n, h, w, c]`, each on its own. The key is consumed."""
        draw = jax.vmap(jax.random.bernoulli)(jax.random.split(key, len(images)))
        return jnp.where(draw[:, None, None, None], images[:, :, ::-1], images)


class ColourJitter(eqx.Module):
    """Brightness, contrast and saturation changed at random, one after the other.

    Each of the three draws a factor f ~ U[max(0, 1 − s), 1 + s], s its strength, and makes of x

        clip(f x + (1 − f) b, 0, 1)

    where b is 0 for brightness, the mean of the image's grey values for contrast, and the grey
    value of each pixel for saturation (grey = 0.299 R + 0.587 G + 0.114 B). Their order is random,
    drawn for each image, as in torchvision's `ColorJitter`
    (https://docs.pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html).

    Attributes:
        brightness: strength; 0 leaves brightness as it is.
        contrast: strength.
        saturation: strength; grey images have no saturation to change.

    Raises:
        BadInput: a strength is negative, or images have neither one channel nor three.

    Example:
        >>> still = ColourJitter(brightness=0, contrast=0, saturation=0)
        >>> image = jnp.full((1, 2, 2, 3), 0.25)
        >>> bool((still(image, jnp.zeros(1, int), key=jax.random.key(0)) == image).all())
        True
    """

    brightness: float = eqx.field(static=True, default=0.4)
    contrast: float = eqx.field(static=True, default=0.4)
    saturation: float = eqx.field(static=True, default=0.4)

    def __check_init__(self):
        for name in ("brightness", "contrast", "saturation"):
            # A not-a-number fails this, too.
            if not getattr(self, name) >= 0:
                raise BadInput(f"{name} is {getattr(self, name)}; give a number, 0 or more")

    def __call__(self, images: Images, labels: Int[Array, " n"], *, key: PRNGKeyArray) -> Images:
        """Change the images `[n, h, w, c]`, each on its own. The key is consumed."""
        if images.shape[-1] not in (1, 3):
            raise BadInput(
                f"colours are changed of images with 1 channel (grey) or 3, and these have "
                f"{images.shape[-1]}: convert them by as_images, or leave the colours as they are"
            )
        return jax.vmap(self._changed)(images, jax.random.split(key, len(images)))

    def _changed(self, image: Image, key: PRNGKeyArray) -> Image:
        order_key, factor_key = jax.random.split(key)
        strength = jnp.array([self.brightness, self.contrast, self.saturation])
        low = jnp.maximum(0.0, 1 - strength)
        factors = low + jax.random.uniform(factor_key, (3,)) * (1 + strength - low)
        order = jax.random.permutation(order_key, 3)
        # All three blend with some image, so that a drawn order costs no branches.
        for which in (order[i] for i in range(3)):
            grey = image @ LUMA if image.shape[-1] == 3 else image[..., 0]
            blended = jnp.stack([jnp.zeros(()), grey.mean()])[jnp.minimum(which, 1)]
            other = jnp.where(which == 2, grey, blended)[..., None]
            f = factors[which]
            image = jnp.clip(f * image + (1 - f) * other, 0.0, 1.0)
        return image


class Standardise(eqx.Module):
    """(x − mean) / deviation, channel by channel; nothing is random.

    What is learned from standardised images must be tested on such images, too: give this
    transform to the tasks of all splits.

    Attributes:
        mean: of each channel, of numbers from 0 to 1.
        deviation: the standard deviation of each channel.

    Raises:
        BadInput: another number of channels than images have, or a deviation that is not above 0.

    Example:
        >>> image = jnp.array([0.5, 1.0]).reshape(1, 1, 1, 2)
        >>> standard = Standardise(mean=(0.5, 0.5), deviation=(0.25, 0.25))
        >>> standard(image, jnp.zeros(1, int), key=jax.random.key(0)).ravel().tolist()
        [0.0, 2.0]
    """

    mean: tuple[float, ...] = eqx.field(static=True, converter=tuple)
    deviation: tuple[float, ...] = eqx.field(static=True, converter=tuple)

    def __check_init__(self):
        if len(self.mean) != len(self.deviation) or not all(one > 0 for one in self.deviation):
            raise BadInput(
                f"mean is {self.mean} and deviation {self.deviation}; give both for each channel, "
                "and deviations above 0"
            )

    def __call__(self, images: Images, labels: Int[Array, " n"], *, key: PRNGKeyArray) -> Images:
        """Standardise the images `[n, h, w, c]`. The key is not used."""
        if images.shape[-1] != len(self.mean):
            raise BadInput(
                f"mean has {len(self.mean)} channels, and images have {images.shape[-1]}; give one "
                "number for each channel"
            )
        mean, deviation = (jnp.array(one)[None, None, None] for one in (self.mean, self.deviation))
        return (images - mean) / deviation


class Transforms(eqx.Module):
    """Several transforms, one after the other, each with a key of its own.

    Attributes:
        parts: in the order in which they are applied.

    Example:
        >>> both = Transforms((RandomCrop(4), RandomFlip()))
        >>> images = jnp.zeros((3, 32, 32, 3))
        >>> both(images, jnp.zeros(3, int), key=jax.random.key(0)).shape
        (3, 32, 32, 3)
    """

    parts: tuple[Transform, ...] = eqx.field(converter=tuple)

    def __call__(self, images: Images, labels: Int[Array, " n"], *, key: PRNGKeyArray) -> Images:
        """Change the images `[n, h, w, c]`. The key is consumed."""
        for number, part in enumerate(self.parts):
            images = part(images, labels, key=jax.random.fold_in(key, number))
        return images

"""Libraries of pretrained networks as docs/encoders.md calls them: their interface, no weights.

Each network demands what the real one does: float32 channels first, of its own size, evaluation
mode, no gradients. Its features are a fixed linear function of the image.
"""

import contextlib
import types

import jax.numpy as jnp
import numpy as np


class Tensor(np.ndarray):
    """PyTorch's, as far as it goes."""

    def numpy(self):
        return np.asarray(self)


class State:
    inference = False


@contextlib.contextmanager
def inference_mode():
    State.inference = True
    try:
        yield
    finally:
        State.inference = False


class Network:
    """Features of `[n, 3, size, size]`."""

    def __init__(self, features, size=224, *, fc=None):
        self.features, self.size, self.training, self.fc = features, size, True, fc

    def eval(self):
        self.training = False
        return self

    def __call__(self, x):
        assert isinstance(x, Tensor)
        assert x.dtype == np.float32
        assert x.shape[1:] == (3, self.size, self.size)
        assert State.inference
        assert not self.training
        assert -3 < x.min() < x.max() < 3, "it is not normalised"
        # A classifier whose last layer was left in place returns classes.
        width = 1000 if isinstance(self.fc, Classifier) else self.features
        means = x.mean((1, 2, 3))[:, None]
        return (means * np.linspace(0, 1, width, dtype=np.float32)).view(Tensor)


class Classifier:
    pass


MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def create_timm(name, *, pretrained, num_classes):
    assert pretrained
    assert num_classes == 0
    return Network(2048, size=288)


def timm_config(model):
    return {"input_size": (3, model.size, model.size), "mean": MEAN, "std": STD}


class ResNetWeights:
    IMAGENET1K_V2: "ResNetWeights"

    def transforms(self):
        return types.SimpleNamespace(mean=list(MEAN), std=list(STD), crop_size=[224])

    def __str__(self):
        return "ResNet50_Weights.IMAGENET1K_V2"


ResNetWeights.IMAGENET1K_V2 = ResNetWeights()


class CLIP(Network):
    def encode_image(self, x):
        return Network.__call__(self, x)

    def __call__(self, *_):
        raise AssertionError("called as a whole, it wants text, too")


class DINOv2(Network):
    @classmethod
    def from_pretrained(cls, name):
        assert "/" in name
        return cls(384)

    def __call__(self, *, pixel_values):
        return types.SimpleNamespace(pooler_output=super().__call__(pixel_values))


class Processor:
    @classmethod
    def from_pretrained(cls, name):
        assert "/" in name
        return cls()

    def __call__(self, images, *, return_tensors, do_resize, do_center_crop):
        assert return_tensors == "pt"
        assert not do_resize
        assert not do_center_crop
        assert all(image.dtype == np.uint8 and image.shape == (224, 224, 3) for image in images)
        x = ((np.stack(images) / 255 - MEAN) / STD).transpose(0, 3, 1, 2)
        return {"pixel_values": x.astype(np.float32).view(Tensor)}


def equimo_model(features):
    def build(*, pretrained):
        assert pretrained

        def model(image, *, key, inference):
            assert image.shape == (3, 224, 224)
            assert image.dtype == jnp.float32
            assert inference
            return jnp.mean(image) * jnp.linspace(0, 1, features, dtype=jnp.bfloat16)

        return model

    return build


def stand_ins():
    """The modules by name, for `sys.modules`."""
    make = types.SimpleNamespace
    contents = {
        "torch": {
            "from_numpy": lambda x: x.view(Tensor),
            "inference_mode": inference_mode,
            "nn": make(Identity=object),
        },
        "timm": {
            "create_model": create_timm,
            "data": make(resolve_model_data_config=timm_config),
        },
        "torchvision": {
            "models": make(
                ResNet50_Weights=ResNetWeights,
                resnet50=lambda *, weights: Network(2048, fc=Classifier()),
            )
        },
        "open_clip": {
            "create_model": lambda name, *, pretrained: CLIP(512),
            "get_model_preprocess_cfg": lambda model: {
                "size": model.size,
                "mean": MEAN,
                "std": STD,
            },
        },
        "transformers": {"AutoModel": DINOv2, "AutoImageProcessor": Processor},
        "equimo": {},
        "equimo.models": {
            "dinov3_vits16_pretrain_lvd1689m": equimo_model(384),
            "siglip2_vitb16_224": equimo_model(768),
        },
    }
    modules = {name: types.ModuleType(name) for name in contents}
    for name, members in contents.items():
        vars(modules[name]).update(members)
    modules["equimo"].models = modules["equimo.models"]
    return modules

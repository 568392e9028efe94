"""Installs infogan_tf and its zoo: pip install -e ".[tf-cpu,dev]"."""

import pathlib
import re

from setuptools import find_packages, setup

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (HERE / "infogan_tf" / "__init__.py").read_text()
)

setup(
    name="infogan_tf",
    version=VERSION[1],
    description="InfoGAN and its family for TensorFlow and Keras 3",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    packages=find_packages(include=["infogan_tf*", "zoo*"]),
    package_data={"infogan_tf.evaluation": ["report.html"]},
    python_requires=">=3.11,<3.14",
    install_requires=[  # the reason for each is in WORKSPACE.md
        "absl-py>=2",
        "importlib_resources",
        "jinja2>=3.1",
        "keras>=3.12,<4",
        "matplotlib>=3.8",
        "numpy>=1.26",
        "pillow>=10.1",
        "requests>=2.31",
        "scikit-learn>=1.4",
        "scipy>=1.11",
        "tensorboard>=2.20",
        "tensorflow-datasets>=4.9.9",
    ],
    extras_require={
        "tf": ["tensorflow>=2.21,<2.22"],
        "tf-cpu": ["tensorflow-cpu>=2.21,<2.22"],
        "gpu": ["tensorflow[and-cuda]>=2.21,<2.22"],
        "faces3d": ["embreex>=4.4"],
        "grpc": ["grpcio>=1.60"],
        "explore": ["gradio>=6,<7"],
        "dev": [
            "build",
            "embreex>=4.4",
            "gradio>=6,<7",
            "grpcio>=1.60",
            "hypothesis",
            "openvino",
            "playwright",
            "pytest",
            "pytest-xdist",
            "ruff>=0.14,<0.17",
        ],
    },
)

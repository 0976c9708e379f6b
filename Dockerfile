# Trains on an NVIDIA GPU; the CUDA libraries come with TensorFlow's wheels.
#   docker build -t mrcnn-al .
#   docker run --gpus all -v "$PWD/runs:/app/runs" -v "$PWD/weights:/app/weights" \
#       mrcnn-al --subset toy --strategy semi --out runs/first
FROM python:3.12-slim

WORKDIR /app
ENV PYTHONUNBUFFERED=1

COPY setup.py pyproject.toml requirements.txt ./
COPY mrcnn_al ./mrcnn_al
RUN pip install --no-cache-dir ".[gpu,weights]"

ENTRYPOINT ["mrcnn-al", "train"]

"""This package and torchvision with the same network: sizes, counts, what is trained.

Each `make_...` is for interleaved.Side and imports its framework when it is called. Settings:

size, classes, proposals, detections, passes    of inference and sampling
images, rois, objects                           of a training step
precision                                       float32 or bfloat16
threads                                         of the processor
device                                          cpu or cuda, of torchvision
steps                                           of the epoch in which `waiting` is measured
channels_last                                   whether torchvision's tensors are; optional
"""

import importlib.util

import numpy as np
from made_up import make_boxes, make_image, make_instances

POSITIVE = 0.25
TRAINED_PROPOSALS = 2000
CANDIDATES = 4000


def environment(settings: dict, backend: str = "tensorflow") -> dict[str, str]:
    """What must be in a side's environment."""
    threads = str(settings["threads"])
    return {
        "KERAS_BACKEND": backend,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_NUM_INTRAOP_THREADS": threads,
        "OMP_NUM_THREADS": threads,
    }


def make_model(settings: dict):
    """The network of torchvision's maskrcnn_resnet50_fpn, as far as settings reach."""
    import keras

    from mrcnn_al import MaskRCNN, ModelConfig

    keras.utils.set_random_seed(0)
    size = settings["size"]
    config = ModelConfig.preset(
        "matterport",
        num_classes=settings["classes"],
        backbone="resnet50",
        rpn_channels=256,
        # Thinned out by overlap there would be as many as chance will have it.
        rpn_nms_threshold=1.0,
        pre_nms_limit=CANDIDATES,
        post_nms_rois_training=TRAINED_PROPOSALS,
        post_nms_rois_inference=settings["proposals"],
        train_rois_per_image=settings["rois"],
        roi_positive_ratio=POSITIVE,
        max_gt_instances=settings["objects"],
        detection_max_instances=settings["detections"],
        detection_min_confidence=0.0,
        detection_nms_threshold=0.5,
        image_resize_mode="square",
        image_min_dim=size,
        image_max_dim=size,
        precision=settings["precision"],
        half_pixel_sampling=True,
        fill_with_negatives=True,
        stop_target_gradients=True,
    )
    model = MaskRCNN(config)
    find_everything(model)
    return model


def find_everything(model) -> None:
    """Lets an untrained network take no RoI for background, so that it finds all that it may."""
    bias = np.zeros(model.config.num_classes, np.float32)
    bias[0] = -20
    model.classifier_head.logits.bias.assign(bias)


def make_batch(model, training, settings: dict) -> dict:
    """What one training step is called on."""
    from mrcnn_al.training.examples import ExampleMaker

    maker = ExampleMaker(model.config, training)
    rows = [
        maker.make(*annotated(settings, number), np.random.default_rng(number))
        for number in range(settings["images"])
    ]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def annotated(settings: dict, number: int):
    """An image and its instances."""
    size = settings["size"]
    objects = make_instances(size, settings["objects"], settings["classes"], number)
    return make_image(size, number), objects


def prepare_training(model, settings: dict):
    """Compiles a model as `fit` does; the settings of its training."""
    import keras

    from mrcnn_al.config import TrainingConfig
    from mrcnn_al.training.fit import Fitter
    from mrcnn_al.training.optimizer import make_optimizer
    from mrcnn_al.training.schedule import WarmupSchedule

    training = TrainingConfig(learning_rate=1e-5, images_per_batch=settings["images"])
    Fitter(model, training)
    schedule = WarmupSchedule(
        training.learning_rate, 0, "constant", 1, training.step_milestones, training.step_factor
    )
    model.compile(
        optimizer=make_optimizer(model, training, schedule),
        jit_compile=keras.backend.backend() == "jax",
        auto_scale_loss=False,
    )
    return training


def make_ours(settings: dict):
    """Tasks: inference, sampling, training; `waiting` gives the data pipeline's share."""
    import keras

    from mrcnn_al.training import devices

    model = make_model(settings)
    image, inference = make_image(settings["size"]), model.inference
    training = prepare_training(model, settings)
    batch = make_batch(model, training, settings)
    about = {
        "backend": keras.backend.backend(),
        "device": _device(),
        "detections": len(inference.detect([image])[0].instances),
        "parameters": model.count_params(),
    }
    return about, {
        "inference": lambda: inference.detect([image]),
        "sampling": lambda: inference.sample([image], settings["passes"], 0),
        "training": lambda: devices.train_step(model, batch),
        "waiting": lambda: _waiting(model, settings),
    }


def _waiting(model, settings):
    """The share of a training's time in which the device waits for a batch."""
    from mrcnn_al.config import TrainingConfig
    from mrcnn_al.training.fit import Fitter

    training = TrainingConfig(
        epochs=2, steps_per_epoch=settings["steps"], images_per_batch=settings["images"]
    )
    numbers = [str(number) for number in range(4 * settings["images"])]
    rows = Fitter(model, training).fit(numbers, lambda i: annotated(settings, int(i)), seed=0)
    # In the first epoch the program is compiled.
    return rows[-1]["waiting_seconds"] / rows[-1]["seconds"]


def _device():
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return str(jax.devices()[0])
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return str(tf.config.list_logical_devices()[-1].name)
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def torchvision_is_there() -> bool:
    """Whether the extra `bench` is installed."""
    return all(importlib.util.find_spec(name) for name in ("torch", "torchvision"))


def make_torchvision(settings: dict):
    """Tasks: inference, training."""
    import torch
    import torchvision
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops.misc import FrozenBatchNorm2d

    torch.manual_seed(0)
    torch.set_num_threads(settings["threads"])
    size, device = settings["size"], torch.device(settings["device"])
    # What maskrcnn_resnet50_fpn makes when it is given weights, with all layers trained.
    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=5
    )
    model = MaskRCNN(
        backbone,
        settings["classes"],
        min_size=size,
        max_size=size,
        rpn_nms_thresh=1.0,
        rpn_pre_nms_top_n_train=CANDIDATES,
        rpn_pre_nms_top_n_test=CANDIDATES,
        rpn_post_nms_top_n_train=TRAINED_PROPOSALS,
        rpn_post_nms_top_n_test=settings["proposals"],
        box_score_thresh=0.0,
        box_detections_per_img=settings["detections"],
        box_batch_size_per_image=settings["rois"],
        box_positive_fraction=POSITIVE,
    ).to(device)
    if settings.get("channels_last"):
        model = model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), 1e-5, momentum=0.9, weight_decay=1e-4)
    half = settings["precision"] == "bfloat16"
    image = _tensor(make_image(size), device)
    batch = [_tensor(make_image(size, number), device) for number in range(settings["images"])]
    targets = [_target(settings, number, device) for number in range(settings["images"])]
    rows = {}
    for name in ("box_head", "mask_head"):
        getattr(model.roi_heads, name).register_forward_hook(
            lambda module, inputs, output, name=name: rows.__setitem__(name, len(output))
        )

    def inference():
        model.eval()
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=half):
            found = model([image])[0]["masks"].cpu()
        return len(found)

    def training():
        model.train()
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            loss = sum(model(batch, targets).values())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        return loss.item()

    detections = inference()
    about = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": str(device),
        "detections": detections,
        "proposals": rows["box_head"],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
    }
    training()
    about |= {"trained_rois": rows["box_head"], "trained_masks": rows["mask_head"]}
    return about, {"inference": inference, "training": training}


def _tensor(image, device):
    import torch

    return torch.from_numpy(image).permute(2, 0, 1).float().div(255).to(device)


def _target(settings, number, device):
    import torch

    size, count = settings["size"], settings["objects"]
    boxes = make_boxes(size, count, number)
    masks = torch.zeros((count, size, size), dtype=torch.uint8)
    for mask, (y1, x1, y2, x2) in zip(masks, boxes, strict=True):
        mask[y1:y2, x1:x2] = 1
    return {
        "boxes": torch.from_numpy(boxes[:, [1, 0, 3, 2]]).float().to(device),
        "labels": (1 + torch.arange(count) % (settings["classes"] - 1)).to(device),
        "masks": masks.to(device),
    }

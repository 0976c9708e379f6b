"""Tensors from a PyTorch file of the format before 1.6, without unpickling it.

Such a file is a pickle, and a pickle is a program. Here its instructions are only parsed, and
only the handful that describe a dictionary of tensors is understood; any other is an error.
"""

import io
import pickletools
from math import prod
from pathlib import Path

import numpy as np

from mrcnn_al.errors import UserError

_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES = {"torch FloatStorage": np.float32, "torch LongStorage": np.int64}
_DICTIONARY, _TENSOR = "collections OrderedDict", "torch._utils _rebuild_tensor_v2"
_MARK = object()


def read_torch_file(path) -> dict[str, np.ndarray]:
    """The named tensors of a state dictionary.

    Raises:
        UserError: no such file, or it holds anything but tensors, or is damaged.
    """
    if not Path(path).is_file():
        raise UserError(f"The weights file {path} does not exist.")
    data = Path(path).read_bytes()
    stream = io.BytesIO(data)
    try:
        magic, _, _, tensors, storage_keys = (_interpret(stream) for _ in range(5))
        if magic != _MAGIC:
            raise UserError(f"{path} is not a PyTorch file of the old format.")
        return _attach(tensors, _storages(data, stream.tell(), tensors, storage_keys))
    except (ValueError, IndexError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise UserError(f"{path} is damaged or no plain dictionary of tensors: {error}") from error


class _Global(str):
    """A name that a pickle would import; here it stays a name."""


class _Tensor(tuple):
    """What a file says of a tensor: (storage, offset, shape, strides)."""


def _storages(data, start, tensors, keys):
    described = {tensor[0][2]: tensor[0] for tensor in tensors.values()}
    storages, position = {}, start
    for key in keys:
        _, kind, _, _, count, _ = described[key]
        if int.from_bytes(data[position : position + 8], "little") != count:
            raise ValueError(f"storage {key} has another size than announced")
        position += 8
        storages[key] = np.frombuffer(data, _STORAGES[kind], count, position)
        position += storages[key].nbytes
    return storages


def _attach(tensors, storages):
    result = {}
    for name, (storage, offset, shape, strides) in tensors.items():
        values = storages[storage[2]]
        last = sum((extent - 1) * stride for extent, stride in zip(shape, strides, strict=True))
        if min((offset, *strides, *shape)) < 0 or offset + last >= len(values):
            raise ValueError(f"tensor {name} reaches outside its storage")
        # With strides of zero a few values could fill the memory.
        if prod(shape) > len(values):
            raise ValueError(f"tensor {name} is larger than its storage")
        byte_strides = [stride * values.itemsize for stride in strides]
        result[name] = np.lib.stride_tricks.as_strided(values[offset:], shape, byte_strides).copy()
    return result


def _interpret(stream):
    stack, memo = [], {}

    def to_mark():
        position = len(stack) - 1 - stack[::-1].index(_MARK)
        items = stack[position + 1 :]
        del stack[position:]
        return items

    for opcode, argument, _ in pickletools.genops(stream):
        name = opcode.name
        if name in ("PROTO", "STOP"):
            continue
        if name in ("BINPUT", "LONG_BINPUT"):
            memo[argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name in ("BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"):
            stack.append(argument)
        elif name in ("NONE", "NEWTRUE", "NEWFALSE"):
            stack.append({"NONE": None, "NEWTRUE": True, "NEWFALSE": False}[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE"):
            stack.append({"EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple}[name]())
        elif name == "TUPLE":
            stack.append(tuple(to_mark()))
        elif name in ("TUPLE1", "TUPLE2"):
            count = int(name[-1])
            items = tuple(stack[-count:])
            del stack[-count:]
            stack.append(items)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            stack[-1][key] = value
        elif name == "SETITEMS":
            items = to_mark()
            stack[-1].update(zip(items[::2], items[1::2], strict=True))
        elif name == "APPENDS":
            items = to_mark()
            stack[-1].extend(items)
        elif name == "GLOBAL":
            if argument not in (_DICTIONARY, _TENSOR, *_STORAGES):
                raise UserError(f"The file wants to import {argument!r}; only tensors are read.")
            stack.append(_Global(argument))
        elif name == "BINPERSID":
            stack.append(("persistent", *stack.pop()[1:]))
        elif name == "REDUCE":
            arguments, function = stack.pop(), stack.pop()
            stack.append(_reduce(function, arguments))
        elif name == "BUILD":
            stack.pop()
        else:
            raise UserError(f"The file has the instruction {name}; only tensors are read.")
    (result,) = stack
    return result


def _reduce(function, arguments):
    if function == _DICTIONARY and isinstance(function, _Global):
        return dict(arguments)
    if function == _TENSOR and isinstance(function, _Global):
        storage, offset, shape, strides, *_ = arguments
        return _Tensor((storage, offset, shape, strides))
    raise UserError(f"The file wants to call {function!r}; only tensors are read.")

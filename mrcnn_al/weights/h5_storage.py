"""Whether the data of an HDF5 dataset are all there, and no more than they claim to be."""

import zlib

import h5py
import numpy as np

from mrcnn_al.errors import UserError

_KNOWN_FILTERS = (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_DEFLATE)


def check_storage(dataset: h5py.Dataset, what: str) -> None:
    """Refuses what would be read as zeros or expand to more than its shape.

    HDF5 gives zeros for data that were never written, and unpacks a chunk to whatever size it
    has, without a limit. Nothing of the size of the data is allocated here but one chunk.

    Args:
        dataset: whose shape is known to be reasonable.
        what: what to call it.

    Raises:
        UserError: data are missing, or stored in a way that cannot be checked.
    """
    if not dataset.size:
        return
    if dataset.chunks is None:
        if dataset.id.get_storage_size() != dataset.nbytes:
            raise UserError(f"{what} is announced, but its data are not in the file.")
        return
    filters = _filters(dataset, what)
    if any(chunk > extent for chunk, extent in zip(dataset.chunks, dataset.shape, strict=True)):
        raise UserError(f"{what} is stored in chunks larger than itself.")
    expected = np.prod([-(-e // c) for e, c in zip(dataset.shape, dataset.chunks, strict=True)])
    if dataset.id.get_num_chunks() != expected:
        raise UserError(f"{what} is announced, but not all of its data are in the file.")
    chunk_bytes = int(np.prod(dataset.chunks)) * dataset.dtype.itemsize
    for index in range(int(expected)):
        _check_chunk(dataset, index, chunk_bytes, filters, what)


def _filters(dataset, what):
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(index)[0] for index in range(properties.get_nfilters())]
    if set(codes) - set(_KNOWN_FILTERS) or len(set(codes)) != len(codes):
        raise UserError(f"{what} is packed in a way that is not read here; use gzip or none.")
    return codes


def _check_chunk(dataset, index, chunk_bytes, filters, what):
    info = dataset.id.get_chunk_info(index)
    # Deflate gives at most this much more than it takes, and Fletcher's checksum is four bytes.
    if info.size > chunk_bytes + chunk_bytes // 100 + 64:
        raise UserError(f"{what} has a chunk larger than its data.")
    if h5py.h5z.FILTER_DEFLATE not in filters:
        return
    skipped = info.filter_mask >> filters.index(h5py.h5z.FILTER_DEFLATE) & 1
    if skipped:
        return
    _, packed = dataset.id.read_direct_chunk(info.chunk_offset)
    # One byte more than it may have, to notice that there is more.
    limit = chunk_bytes + (4 if filters[-1] != h5py.h5z.FILTER_DEFLATE else 0)
    try:
        unpacked = zlib.decompressobj().decompress(packed, limit + 1)
    except zlib.error as error:
        raise UserError(f"{what} cannot be unpacked: {error}.") from error
    if len(unpacked) > limit:
        raise UserError(f"{what} unpacks to more than its shape.")

import struct

import keras
import pytest

from mrcnn_al.training.event_file import EventFile, crc32c


def written(folder):
    with EventFile(folder, first_step=5) as events:
        events.scalars(6, {"train/loss": 1.5, "learning rate, größer": 1e-30})
        events.scalars(300, {"train/loss": -2.0})
    (path,) = folder.iterdir()
    return path


def records(data):
    """The records of a TFRecord file, their checksums unmasked and compared."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        content, rest = data[12 : 12 + length], data[12 + length :]
        for part, stored in ((data[:8], data[8:12]), (content, rest[:4])):
            rotated = (struct.unpack("<I", stored)[0] - 0xA282EAD8) & 0xFFFFFFFF
            assert ((rotated >> 17) | (rotated << 15)) & 0xFFFFFFFF == crc32c(part)
        yield content
        data = rest[4:]


@pytest.mark.parametrize(
    ("data", "checksum"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
    ],
)
def test_the_checksum_of_rfc_3720(data, checksum):
    assert crc32c(data) == checksum


def test_records(tmp_path):
    content = list(records(written(tmp_path / "new" / "folder").read_bytes()))
    assert len(content) == 4
    assert b"brain.Event:2" in content[0]
    assert "größer".encode() in content[2]
    assert content[3].endswith(struct.pack("<f", -2.0))
    # Field 2, the step, as a varint of two bytes.
    assert b"\x10\xac\x02" in content[3]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow reads it")
def test_tensorflow_reads_it(tmp_path):
    from tensorflow.core.util.event_pb2 import Event, SessionLog

    path = written(tmp_path)
    events = [Event.FromString(data) for data in records(path.read_bytes())]
    assert events[0].file_version == "brain.Event:2"
    assert (events[1].session_log.status, events[1].step) == (SessionLog.START, 5)
    found = [(e.step, {v.tag: v.simple_value for v in e.summary.value}) for e in events[2:]]
    assert found[0] == (
        6,
        {"train/loss": 1.5, "learning rate, größer": pytest.approx(1e-30)},
    )
    assert found[1] == (300, {"train/loss": -2.0})
    assert all(1.7e9 < event.wall_time < 1e11 for event in events)
    import tensorflow as tf

    stored = [record.numpy() for record in tf.data.TFRecordDataset(str(path))]
    assert [Event.FromString(data) for data in stored] == events

"""Blocks of a blosc frame without the others: the same bytes, whatever frame it is."""

import struct
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import blosc

from datacube.errors import StorageError
from datacube.store.bloscparts import decode_piece, head_of, piece_between
from datacube.store.codecs import ArrayCodec

FRAMES = st.fixed_dictionaries(
    {
        "content": st.sampled_from(("ramp", "noise", "constant")),
        "itemsize": st.sampled_from((1, 2, 4, 8)),
        "count": st.integers(1, 1 << 16),
        "codec": st.sampled_from((b"lz4", b"zstd", b"blosclz", b"zlib")),
        "shuffle": st.integers(0, 2),
        "block": st.sampled_from((0, 1 << 12, 1 << 14, 1 << 16)),
    }
)


def frame_of(content, itemsize, count, codec, shuffle, block):
    """Values as bytes, and their frame."""
    match content:
        case "ramp":
            raw = np.arange(count).astype(f"u{itemsize}")
        case "noise":
            raw = np.random.default_rng(count).integers(0, 256, count * itemsize, np.uint8)
        case _:
            raw = np.full(count, 7, f"u{itemsize}")
    elements = np.frombuffer(raw.tobytes(), f"V{itemsize}")
    return raw.tobytes(), blosc.compress(elements, codec, 5, shuffle, block)


def decoded(frame, memory, start, stop):
    """Decode what is wanted, by its piece or as a whole; the piece."""
    piece = piece_between(head_of(frame), memory.size, start, stop)
    if piece is None:
        blosc.decompress(frame, memory)
    else:
        decode_piece(piece.front + frame[piece.begin : piece.end], memory, piece)
    return piece


@given(FRAMES, st.data())
def test_what_is_wanted_is_right_and_nothing_else_touched(how, data):
    raw, frame = frame_of(**how)
    start = data.draw(st.integers(0, len(raw) - 1))
    stop = data.draw(st.integers(start + 1, len(raw)))
    memory = np.full(len(raw), 0xAA, np.uint8)
    piece = decoded(frame, memory, start, stop)
    assert memory[start:stop].tobytes() == raw[start:stop]
    if piece is None:
        assert memory.tobytes() == raw
        return
    assert piece_between(frame, len(raw), start, stop) == piece
    assert piece_between(frame, len(raw) + 1, start, stop) is None
    assert len(head_of(frame)) <= piece.begin < piece.end <= len(frame)
    assert len(piece.front) <= piece.begin
    assert piece.first <= start < stop <= piece.stop
    assert memory[piece.first : piece.stop].tobytes() == raw[piece.first : piece.stop]
    assert (memory[: piece.first] == 0xAA).all()
    assert (memory[piece.stop :] == 0xAA).all()


def test_no_more_is_decoded_than_the_blocks():
    raw, frame = frame_of("ramp", 2, 1 << 16, b"lz4", 1, 1 << 12)
    size = struct.unpack_from("<I", frame, 8)[0]
    memory = np.full(len(raw), 0xAA, np.uint8)
    assert decoded(frame, memory, size + 5, size + 9) is not None
    assert memory[size : 2 * size].tobytes() == raw[size : 2 * size]
    assert (memory[:size] == 0xAA).all()
    assert (memory[2 * size :] == 0xAA).all()


@given(st.data())
def test_a_damaged_frame_does_no_harm(data):
    raw, frame = frame_of("ramp", 2, 1 << 15, b"lz4", 1, 1 << 12)
    damaged = np.frombuffer(frame, np.uint8).copy()
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    codec = ArrayCodec.parse(
        {
            "data_type": "uint16",
            "fill_value": 0,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [256, 128]}},
            "codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "blosc", "configuration": {"typesize": 2, "cname": "lz4"}},
            ],
        }
    )
    assert codec.parts
    piece = None
    with suppress(struct.error, StorageError):
        piece = codec.piece(damaged, (100, 120))
        if piece is None:
            assert codec.decode(damaged).shape == (256, 128)
    if piece is not None:
        stored = piece.front + damaged[piece.begin : piece.end].tobytes()
        with suppress(StorageError):
            assert codec.decode_piece(stored, piece).shape == (256, 128)
    assert len(raw) == codec.decoded_bytes


@pytest.mark.parametrize("swap", [(0, 1), (2, 3)])
def test_blocks_that_do_not_lie_in_turn(swap):
    raw, frame = frame_of("ramp", 2, 1 << 17, b"lz4", 1, 1 << 12)
    size, stored = struct.unpack_from("<2I", frame, 8)
    count = -(-len(raw) // size)
    places = [*struct.unpack_from(f"<{count}I", frame, 16), stored]
    order = list(range(count))
    order[swap[0]], order[swap[1]] = order[swap[1]], order[swap[0]]
    bodies = [frame[places[one] : places[one + 1]] for one in range(count)]
    moved, at = [0] * count, 16 + 4 * count
    for one in order:
        moved[one] = at
        at += len(bodies[one])
    mixed = frame[:16] + struct.pack(f"<{count}I", *moved) + b"".join(bodies[one] for one in order)
    memory = np.zeros(len(raw), np.uint8)
    decoded(mixed, memory, size, 2 * size)
    assert memory[size : 2 * size].tobytes() == raw[size : 2 * size]

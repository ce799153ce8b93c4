"""The zoo of shapes: vectors by number, the same whenever a shape, a world and a number are."""

import numpy as np

from forms import Form

# For each shape the dimensions it comes in.
SHAPES = {
    "uniform": (1, 2, 3, 8, 48, 300),
    "far_clusters": (1, 2, 4, 8, 64),
    "two_clusters": (2, 4, 8),
    "tight_groups": (3, 8, 100),
    "outliers": (2, 8, 48),
    "offset": (4, 16, 100, 300),
    "heavy_norms": (2, 3, 8, 48),
    "half_duplicates": (3, 8, 64, 300),
    "equal_rows": (2, 8, 300),
    "by_cluster": (4, 8, 64),
    "drift": (2, 8, 64),
    "grid": (1, 2, 3, 4),
    "low_intrinsic": (64, 384),
    "normalised": (3, 16, 100, 384),
}

# Zeros and ones, for bit strings.
BIT_SHAPES = {
    "random_bits": (8, 64, 65, 256, 1000),
    "bit_groups": (64, 256, 1000),
    "few_bits": (64, 300),
    "equal_bits": (16, 256),
    "sign_bits": (64, 384),
}

# Mostly zeros; dense shapes make sparse vectors, too.
SPARSE_SHAPES = {
    "topics": (500, 2000),
    "long_rows": (500, 2000),
}


def _centres(rng, n, dims, spread):
    return rng.random((n, dims)) * spread


def _grouped(world, rng, ids, dims, n, spread, width):
    centres = _centres(world, n, dims, spread)
    return centres[rng.integers(0, n, len(ids))] + rng.standard_normal((len(ids), dims)) * width


def _uniform(world, rng, ids, dims):
    return rng.random((len(ids), dims))


def _far_clusters(world, rng, ids, dims):
    return _grouped(world, rng, ids, dims, 20, 10.0, 0.1)


def _two_clusters(world, rng, ids, dims):
    rows = rng.random((len(ids), dims))
    rows[:, 0] += 3.0 * (rng.random(len(ids)) < 0.25)
    return rows


def _tight_groups(world, rng, ids, dims):
    return _grouped(world, rng, ids, dims, 6, 40.0, 1.0)


def _outliers(world, rng, ids, dims):
    rows = rng.standard_normal((len(ids), dims))
    rows[rng.random(len(ids)) < 0.003] *= 500.0
    return rows


def _offset(world, rng, ids, dims):
    offset = world.choice([2.0, 6.0, 35.0]) * (1 + 0.2 * world.standard_normal(dims))
    return rng.standard_normal((len(ids), dims)) + offset


def _heavy_norms(world, rng, ids, dims):
    return rng.standard_normal((len(ids), dims)) * (rng.pareto(1.5, (len(ids), 1)) + 0.05)


def _half_duplicates(world, rng, ids, dims):
    pool = world.standard_normal((200, dims))
    rows = rng.standard_normal((len(ids), dims))
    again = rng.random(len(ids)) < 0.5
    rows[again] = pool[rng.integers(0, len(pool), int(again.sum()))]
    return rows


def _equal_rows(world, rng, ids, dims):
    pool = world.standard_normal((25, dims))
    rows = pool[rng.integers(0, len(pool), len(ids))]
    fresh = rng.random(len(ids)) < 0.1
    rows[fresh] = rng.standard_normal((int(fresh.sum()), dims))
    return rows


def _by_cluster(world, rng, ids, dims):
    centres = _centres(world, 400, dims, 20.0)
    return centres[(ids // 150) % len(centres)] + rng.standard_normal((len(ids), dims)) * 0.2


def _drift(world, rng, ids, dims):
    # Writers that work at once have their ids in different millions, and drift along one way.
    way = world.standard_normal(dims)
    return (ids[:, None] % 1000000 / 400.0) * way + rng.standard_normal((len(ids), dims)) * 0.3


def _grid(world, rng, ids, dims):
    return rng.integers(-12, 13, (len(ids), dims)).astype(float)


def _low_intrinsic(world, rng, ids, dims):
    ways = world.standard_normal((12, dims))
    hidden = rng.standard_normal((len(ids), 12))
    return np.tanh(hidden @ ways / 3.0) + rng.standard_normal((len(ids), dims)) * 0.05


def _normalised(world, rng, ids, dims):
    centres = world.standard_normal((30, dims))
    rows = centres[rng.integers(0, 30, len(ids))] + rng.standard_normal((len(ids), dims)) * 0.7
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _random_bits(world, rng, ids, dims):
    return rng.integers(0, 2, (len(ids), dims))


def _bit_groups(world, rng, ids, dims):
    centres = world.integers(0, 2, (20, dims))
    flips = rng.random((len(ids), dims)) < 0.05
    return centres[rng.integers(0, 20, len(ids))] ^ flips


def _few_bits(world, rng, ids, dims):
    # Some without any.
    bits = np.zeros((len(ids), dims))
    for row, n in zip(bits, rng.integers(0, 9, len(ids))):
        row[rng.integers(0, dims, n)] = 1
    return bits


def _equal_bits(world, rng, ids, dims):
    pool = world.integers(0, 2, (25, dims))
    bits = pool[rng.integers(0, len(pool), len(ids))]
    fresh = rng.random(len(ids)) < 0.1
    bits[fresh] = rng.integers(0, 2, (int(fresh.sum()), dims))
    return bits


def _sign_bits(world, rng, ids, dims):
    return _low_intrinsic(world, rng, ids, dims) > 0


def _topics(world, rng, ids, dims, n_long=0):
    """Weights of words, of which some are frequent and others come with a topic; of one length, since
    short vectors are else the nearest of most others."""
    chances = 1.0 / np.arange(1, dims + 1)
    chances = world.permutation(chances / chances.sum())
    topics = [world.choice(dims, 40, p=chances, replace=False) for _ in range(40)]
    rows_ = np.zeros((len(ids), dims))
    is_long = rng.random(len(ids)) < n_long
    for row, topic, n in zip(rows_, rng.integers(0, 40, len(ids)), rng.integers(10, 41, len(ids))):
        words = np.concatenate((rng.choice(topics[topic], n // 2, replace=False),
                                rng.choice(dims, n, p=chances)))
        row[words] = np.abs(rng.normal(0.3, 0.45, len(words))) + 0.01
    for at in np.flatnonzero(is_long):
        words = rng.choice(dims, dims // 2, replace=False)
        rows_[at, words] = rng.random(len(words)) * 0.1 + 0.001
    return rows_ / np.linalg.norm(rows_, axis=1, keepdims=True)


def _long_rows(world, rng, ids, dims):
    """Some have many more entries than the others, and perhaps than a code has room for."""
    return _topics(world, rng, ids, dims, 0.02)


# --- shapes of bench/quality alone: too hard, or too slow, for a history to be judged by them ---

def _spectrum(world, rng, ids, dims, offset=0.0, norms=0.0):
    """As learned embeddings: groups, few directions that tell much and many that tell little, an offset
    in standard deviations, and lengths that vary by `norms` (of their logarithm)."""
    scales = np.arange(1, dims + 1) ** -0.55
    turn = np.linalg.qr(world.standard_normal((dims, dims)))[0]
    way = 1 + 0.2 * world.standard_normal(dims)
    centres = world.standard_normal((300, dims)) * scales
    made = centres[rng.integers(0, 300, len(ids))] + rng.standard_normal((len(ids), dims)) * scales
    deviation = np.sqrt(2 * np.mean(scales ** 2))
    made = made @ turn + offset * deviation * way
    return made * np.exp(norms * rng.standard_normal((len(ids), 1)))


def _descriptors(world, rng, ids, dims):
    """As SIFT makes them of images: histograms of few strong directions, cut and of length 512."""
    centres = world.gamma(0.5, 1.0, (400, dims))
    made = centres[rng.integers(0, 400, len(ids))] * rng.gamma(3.0, 1 / 3.0, (len(ids), dims))
    made += rng.gamma(0.4, 0.5, (len(ids), dims))
    made /= np.linalg.norm(made, axis=1, keepdims=True)
    made = np.minimum(made, 0.2)
    return np.floor(512 * made / np.linalg.norm(made, axis=1, keepdims=True)).clip(0, 255)


def _ratings(world, rng, ids, dims):
    """Stars that people gave to some of `dims` things: few things have most of them, and a few people
    gave many."""
    chances = world.permutation(1.0 / np.arange(5, dims + 5))
    tastes = world.standard_normal((12, dims))
    kinds = rng.standard_normal((len(ids), 12)) @ tastes / 3.0
    counts = np.minimum(10 + 15 * rng.pareto(1.3, len(ids)), dims / 8).astype(int)
    made = np.zeros((len(ids), dims))
    for row, kind, n in zip(made, kinds, counts):
        # The least of these are a drawing of n without repetition, each by its chance.
        drawn = np.argpartition(rng.exponential(size=dims) / (chances * np.exp(kind)), n)[:n]
        row[drawn] = np.clip(np.round(3.3 + kind[drawn] + 0.7 * rng.standard_normal(n)), 1, 5)
    return made


def rows(shape, dims, world, ids, salt=0, **more):
    """The vectors of the rows `ids`, a float32 array; `salt` gives the same rows other vectors. A few
    shapes take `more`."""
    ids = np.asarray(ids, dtype=np.int64)
    first = int(ids[0]) if len(ids) else 0
    rng = np.random.default_rng([world, salt, first, len(ids)])
    maker = globals()["_" + shape]
    made = maker(np.random.default_rng(world), rng, ids, dims, **more)
    return np.ascontiguousarray(made, dtype=np.float32)


def text(vector):
    """The text of a `vector`."""
    return Form("vector", len(vector)).text(vector)


def copy_text(ids, vectors, columns, form=None):
    """Lines for COPY of id, further integer columns, and the vector."""
    form = form or Form("vector", vectors.shape[1])
    lines = []
    for i, key in enumerate(ids):
        extra = "".join(f"{column[i]}\t" for column in columns)
        lines.append(f"{key}\t{extra}{form.text(vectors[i])}\n")
    return "".join(lines).encode()


def copy_binary(ids, vectors, columns, form=None):
    """The same in COPY's binary form; id is bigint, the further columns are integer."""
    form = form or Form("vector", vectors.shape[1])
    out = [b"PGCOPY\n\xff\r\n\0", (0).to_bytes(8, "big")]
    count = (2 + len(columns)).to_bytes(2, "big")
    for i, key in enumerate(ids):
        out += [count, b"\0\0\0\x08", int(key).to_bytes(8, "big", signed=True)]
        for column in columns:
            out += [b"\0\0\0\x04", int(column[i]).to_bytes(4, "big", signed=True)]
        value = form.binary(vectors[i])
        out += [len(value).to_bytes(4, "big"), value]
    out.append(b"\xff\xff")
    return b"".join(out)

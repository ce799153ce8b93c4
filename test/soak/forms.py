"""The types of values: their SQL, their text and binary forms, and what of the rules is theirs.

A row is an array of float32 whatever the type is: `halfvec` rounds its numbers, `bit` has a one where
a number is above zero, `sparsevec` writes down those that are not zero.
"""

import numpy as np

# Of the metrics of a type, those that are drawn more often come twice.
METRICS = {
    "vector": ("l2", "l2", "l2", "ip", "cosine", "l1"),
    "halfvec": ("l2", "l2", "ip", "cosine", "l1"),
    "bit": ("hamming", "hamming", "jaccard"),
    "sparsevec": ("l2", "ip", "ip", "cosine", "l1"),
}

# Of them, those that `ivfflat` has classes for.
IVFFLAT = {
    "vector": ("l2", "ip", "cosine"),
    "halfvec": ("l2", "ip", "cosine"),
    "bit": ("hamming",),
    "sparsevec": (),
}

# A half beyond this is none; what is drawn there is cut.
_MOST_HALF = 65504.0


class Form:
    """One type, of rows of `dims` numbers. A sparse vector has its numbers `spread` apart."""

    def __init__(self, name, dims, spread=1):
        self.name = name
        self.dims = dims
        self.spread = spread if name == "sparsevec" else 1

    @classmethod
    def of(cls, setup):
        """That of a history, also of one written down when there was `vector` alone."""
        return cls(setup.get("type", "vector"), setup["dims"], setup.get("spread", 1))

    @property
    def sql(self):
        return f"{self.name}({self.dims * self.spread})"

    def opclass(self, metric):
        return f"{self.name}_{metric}_ops"

    def is_tied(self, metric):
        """Whether other rows may be as near to a vector that is made to lie far from all of them as
        one that is equal to it: by cosine in few dimensions, and where few entries tell; and few bits
        are soon those of some row."""
        if self.name == "bit":
            return self.dims < 64
        return metric == "cosine" and (self.dims < 3 or self.name == "sparsevec")

    def far(self, place):
        """A vector that lies far from all others, by its number."""
        if self.name == "bit":
            bits = np.random.default_rng(place).integers(0, 2, self.dims)
            return bits.astype(np.float32)
        row = np.zeros(self.dims, np.float32)
        row[place % self.dims] = 1.0e4 + place
        return row

    def text(self, row):
        """The shortest text that reads back to the same value."""
        return getattr(self, "_text_of_" + self.name)(row)

    def literal(self, row):
        return "'" + self.text(row) + "'"

    def binary(self, row):
        """What COPY's binary form has of a value."""
        return getattr(self, "_binary_of_" + self.name)(row)

    @staticmethod
    def _text_of_vector(row):
        return "[" + ",".join(str(x) for x in row) + "]"

    @staticmethod
    def _halves(row):
        return np.clip(row, -_MOST_HALF, _MOST_HALF).astype(np.float16)

    def _text_of_halfvec(self, row):
        return self._text_of_vector(self._halves(row))

    @staticmethod
    def _text_of_bit(row):
        return "".join("1" if x > 0 else "0" for x in row)

    def _text_of_sparsevec(self, row):
        entries = ",".join(f"{i * self.spread + 1}:{row[i]}" for i in np.flatnonzero(row))
        return f"{{{entries}}}/{self.dims * self.spread}"

    @staticmethod
    def _binary_of_vector(row):
        return len(row).to_bytes(2, "big") + b"\0\0" + row.astype(">f4").tobytes()

    def _binary_of_halfvec(self, row):
        return len(row).to_bytes(2, "big") + b"\0\0" + self._halves(row).astype(">f2").tobytes()

    @staticmethod
    def _binary_of_bit(row):
        return len(row).to_bytes(4, "big") + np.packbits(row > 0).tobytes()

    def _binary_of_sparsevec(self, row):
        places = np.flatnonzero(row)
        head = np.array([self.dims * self.spread, len(places), 0], ">i4")
        indices = (places * self.spread).astype(">i4")
        return head.tobytes() + indices.tobytes() + row[places].astype(">f4").tobytes()

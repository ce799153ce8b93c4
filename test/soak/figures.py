"""What a run did, in figures, and what it found."""

import threading
import time


class Figures:
    """Counts by name; shared by the threads of a history."""

    def __init__(self):
        self._lock = threading.Lock()
        self._counts = {}
        self._lowest = {}
        self.started = time.monotonic()

    def add(self, name, count=1):
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + count

    def lowest(self, name, value):
        with self._lock:
            self._lowest[name] = min(value, self._lowest.get(name, value))

    def get(self, name):
        return self._counts.get(name, 0)

    def lines(self):
        with self._lock:
            yield f"{'seconds':32} {time.monotonic() - self.started:12.0f}"
            for name in sorted(self._counts):
                yield f"{name:32} {self._counts[name]:12,}"
            for name in sorted(self._lowest):
                yield f"{name:32} {self._lowest[name]:12.3f}"

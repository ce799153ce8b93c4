#!/usr/bin/env python3
"""Writes rows of sparse vectors like those of learned term weights, as COPY text.

    bench/sparse_rows.py ROWS SEED rows|queries >FILE

30,522 words, the k-th most frequent with a chance of 1 / k. A row has 60 to 250 of them, a query 20 to
60, half of them of one of 400 topics; those weigh twice as much.
"""

import itertools
import random
import sys

N_WORDS = 30522
N_TOPICS = 400


def main():
    n, seed, kind = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    least, most = (60, 250) if kind == "rows" else (20, 60)
    same = random.Random(1)  # words and topics, whatever the seed
    words = range(N_WORDS)
    chances = list(itertools.accumulate(1 / (i + 1) for i in words))
    index_of = list(words)
    same.shuffle(index_of)
    topics = [same.choices(words, cum_weights=chances, k=300) for _ in range(N_TOPICS)]
    draw = random.Random(seed)
    for row in range(1, n + 1):
        k = draw.randint(least, most)
        first, second = draw.sample(range(N_TOPICS), 2)
        topic = set(topics[first])
        drawn = set()
        while len(drawn) < k:
            drawn.update(draw.choices(topics[first], k=k // 2))
            drawn.update(draw.choices(topics[second], k=k // 5))
            drawn.update(draw.choices(words, cum_weights=chances, k=k // 2))
        entries = {}
        for word in draw.sample(sorted(drawn), k):
            weight = abs(draw.gauss(0.3, 0.45)) + 0.01
            entries[index_of[word] + 1] = weight * (2 if word in topic else 1)
        text = ",".join(f"{index}:{entries[index]:.4g}" for index in sorted(entries))
        print(f"{row}\t{{{text}}}/{N_WORDS}")


main()

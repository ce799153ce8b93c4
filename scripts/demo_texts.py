#!/usr/bin/python3
"""Loads 400 short sentences with vectors of their meaning, and shows the nearest ones to a
sentence.

    scripts/demo_texts.py [SENTENCE]...     on the server of libpq's environment; scripts/demo-texts
                                            starts one
    scripts/demo_texts.py --files FOLDER    only writes texts.jsonl, questions.txt and questions.npy

The sentences are those of scripts/demo_texts.txt. Their vectors come from their words alone,
without a
model: latent semantic analysis. A text is counted as its words and the parts of words (3 to 5
letters) in it, rare ones weighing more. Rows of the matrix are the sentences and, weighing more,
the sections of the file, so that words of one section come near each other. The strongest
directions of that matrix are the dimensions; a new sentence is projected on them.
"""

import collections
import json
import math
import os
import re
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../client/python"))

N_DIMS = 64
SECTION_WEIGHT = 3
PART_LENGTHS = (3, 4, 5)
STOP_WORDS = frozenset("""
    a about after again all along an and are as at be because been before below but by can could
    did do does down every for from had has have he her him his i if in is it its least less let
    longer many may me more most must my near no not of off on once one or our out over own she so
    still than that the their them then there they this through to too two until up us very was we
    were what when where which while who will with without you your""".split())
QUESTIONS = (
    "My loaf is still in the oven.",
    "A storm is coming from the west.",
    "The judge sent him to prison.",
    "Why does my puppy bark all night?",
    "The program has a bug.",
)


def read_sentences():
    """The sentences and the topic of each, as two lists."""
    sentences, topics = [], []
    topic = ""
    with open(os.path.join(HERE, "demo_texts.txt"), encoding="utf-8") as file:
        for line in map(str.strip, file):
            if line.startswith("="):
                topic = line[1:].strip()
            elif line and not line.startswith("#"):
                sentences.append(line)
                topics.append(topic)
    return sentences, topics


def features(text):
    """How often words and parts of words are in a text; the parts of a word weigh less the more
    they are."""
    counts = collections.Counter()
    for word in re.findall(r"[^\W\d_]+", text.lower()):
        if word in STOP_WORDS:
            continue
        counts[word] += 1
        padded = f"<{word}>"
        parts = [padded[start:start + length] for length in PART_LENGTHS
                 for start in range(len(padded) - length + 1)]
        for part in parts:
            counts["=" + part] += 1 / math.sqrt(len(parts))
    return counts


class Meaning:
    """Vectors of N_DIMS dimensions and length 1 for texts in the words of `sentences`."""

    def __init__(self, sentences, topics):
        counted = list(map(features, sentences))
        self.places = {name: place for place, name in enumerate(sorted(set().union(*counted)))}
        n_with = collections.Counter(name for counts in counted for name in counts)
        self.weights = np.array([math.log((1 + len(sentences)) / (1 + n_with[name])) + 0.1
                                 for name in self.places])
        rows = normalised(np.stack(list(map(self.counts, sentences))))
        names = sorted(set(topics))
        sections = np.stack([rows[[topic == name for topic in topics]].sum(0) for name in names])
        sections *= np.log(len(names) / (sections > 0).sum(0)) + 0.05
        matrix = np.vstack([rows, SECTION_WEIGHT * normalised(sections)])
        values, vectors = np.linalg.eigh(matrix @ matrix.T)
        strongest = np.argsort(-values, kind="stable")[:N_DIMS]
        axes = vectors[:, strongest].T @ matrix
        # An axis has no sign of its own: its largest part is made positive.
        signs = np.sign(axes[np.arange(N_DIMS), np.abs(axes).argmax(1)])
        self.axes = axes * (signs / np.sqrt(values[strongest]))[:, None]
        self.strengths = np.sqrt(np.sqrt(values[strongest]))

    def counts(self, text):
        row = np.zeros(len(self.places))
        for name, count in features(text).items():
            if name in self.places:
                row[self.places[name]] = count
        return row * self.weights

    def embed(self, texts):
        """An array of shape (texts, N_DIMS) of float32. A text without a known word is near
        none."""
        rows = np.stack(list(map(self.counts, texts))) @ self.axes.T * self.strengths
        return normalised(rows).astype(np.float32)


def normalised(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


def main(questions=(), conn=None):
    """Makes the table `texts`, loads it, and prints what is near to the questions. `conn` is a
    psycopg connection, or None for libpq's environment."""
    import psycopg

    if conn is None:
        with psycopg.connect(autocommit=True) as made:
            main(questions, made)
        return
    sentences, topics = read_sentences()
    meaning = Meaning(sentences, topics)
    vectors = meaning.embed(sentences)
    print(f"{len(sentences)} short sentences on {len(set(topics))} topics, each as {N_DIMS} "
          "numbers made from its words")
    load(conn, sentences, topics, vectors)
    for question in questions or QUESTIONS:
        show_nearest(conn, question, meaning.embed([question])[0])
    compare(conn, vectors)


def write_files(folder):
    """What `vector-bulk` loads and searches for."""
    sentences, topics = read_sentences()
    meaning = Meaning(sentences, topics)
    vectors = meaning.embed(sentences)
    with open(os.path.join(folder, "texts.jsonl"), "w", encoding="utf-8") as file:
        for number, (topic, sentence) in enumerate(zip(topics, sentences)):
            json.dump({"id": number, "topic": topic, "sentence": sentence,
                       "embedding": vectors[number].tolist()}, file)
            file.write("\n")
    with open(os.path.join(folder, "questions.txt"), "w", encoding="utf-8") as file:
        file.writelines(question + "\n" for question in QUESTIONS)
    np.save(os.path.join(folder, "questions.npy"), meaning.embed(QUESTIONS))


def load(conn, sentences, topics, vectors):
    import vector_ext

    conn.execute("DROP TABLE IF EXISTS texts")
    conn.execute(f"""CREATE TABLE texts (id integer PRIMARY KEY, topic text NOT NULL,
                         sentence text NOT NULL, embedding vector({N_DIMS}) NOT NULL)""")
    conn.execute("CREATE INDEX texts_embedding ON texts USING hnsw (embedding vector_cosine_ops)")
    started = time.perf_counter()
    stats = vector_ext.bulk_upsert(conn, "texts", {
        "id": np.arange(len(sentences)), "topic": topics, "sentence": sentences,
        "embedding": vectors})
    conn.execute("ANALYZE texts")
    print(f"{stats.inserted} rows into the table and its index in "
          f"{time.perf_counter() - started:.2f} s")


def show_nearest(conn, question, vector):
    import vector_ext

    print(f'nearest to "{question}"')
    for id, distance in vector_ext.bulk_query_index("texts", vector, k=3, conn=conn):
        sentence, topic = conn.execute("SELECT sentence, topic FROM texts WHERE id = %s",
                                       [id]).fetchone()
        print(f"    {distance:.2f}  {sentence}  ({topic})")


def compare(conn, vectors):
    """Exact search beside the index, with every row as a question."""
    found, seconds = {}, {}
    for way in ("seqscan", "indexscan"):
        with conn.transaction(force_rollback=True):
            conn.execute(f"SET LOCAL enable_{'indexscan' if way == 'seqscan' else 'seqscan'} = off")
            conn.execute("""PREPARE nearest (text) AS SELECT id FROM texts
                            ORDER BY embedding <=> $1::vector LIMIT 10""")
            questions = [str(vector.tolist()) for vector in vectors]
            started = time.perf_counter()
            found[way] = [{id for id, in conn.execute("EXECUTE nearest (%s)" % quoted(question))}
                          for question in questions]
            seconds[way] = time.perf_counter() - started
            conn.execute("DEALLOCATE nearest")
    n_rows = len(vectors)
    same = sum(len(exact & near) for exact, near in zip(*found.values())) / (10 * n_rows)
    exact, near = (1000 * seconds[way] / n_rows for way in ("seqscan", "indexscan"))
    gain = f"{exact / near:.1f} times faster" if exact > near else "too few rows to gain"
    print(f"exact search {exact:.2f} ms, by the index {near:.2f} ms ({gain}), {100 * same:.1f} % "
          "of the same rows")


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


if __name__ == "__main__":
    if sys.argv[1:2] == ["--files"] and len(sys.argv) == 3:
        write_files(sys.argv[2])
    else:
        main(sys.argv[1:])

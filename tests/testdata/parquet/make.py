"""Writes the Parquet files of this folder with pyarrow 26: python3 make.py"""

import io
import json
import math
import os
import struct
import wave

import pyarrow as pa
import pyarrow.parquet as pq

HERE = os.path.dirname(os.path.abspath(__file__))


def tone(seconds, rate=8000):
    """A WAV file of a tone."""
    frames = [round(8000 * math.sin(i / 7)) for i in range(round(seconds * rate))]
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(frames)}h", *frames))
    return file.getvalue()


AUDIO = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
FEATURES = {
    "audio": {"sampling_rate": 8000, "_type": "Audio"},
    "transcription": {"dtype": "string", "_type": "Value"},
    "intent_class": {"names": ["deny", "allow"], "_type": "ClassLabel"},
    "speaker_id": {"dtype": "int64", "_type": "Value"},
}


def shard(name, rows, **options):
    """A shard of a data set as `datasets` writes it; rows of seconds, transcript, class and speaker."""
    seconds, texts, classes, speakers = zip(*rows)
    audio = [s and {"bytes": tone(s), "path": f"{i}.wav"} for i, s in enumerate(seconds)]
    table = pa.table({
        "audio": pa.array(audio, AUDIO),
        "transcription": pa.array(texts, pa.string()),
        "intent_class": pa.array(classes, pa.int64()),
        "speaker_id": pa.array(speakers, pa.int64()),
    }).replace_schema_metadata({"huggingface": json.dumps({"info": {"features": FEATURES}})})
    pq.write_table(table, f"{HERE}/dataset/data/{name}.parquet", **options)


def columns():
    """A table of every type, with nulls and several pages, in every compression."""
    count = 23
    audio = [{"bytes": bytes((i * 7 + j) % 256 for j in range(20 + i)), "path": f"{i}.wav"} for i in range(count)]
    audio[5], audio[6] = None, {"bytes": None, "path": "6.wav"}
    values = {
        "text": [None if i == 3 else f"héllo {i % 4}" for i in range(count)],
        "int64": [i % 3 for i in range(count)],
        "int32": [i // 5 for i in range(count)],
        "double": [i / 10 for i in range(count)],
        "float": [None if i % 2 else i / 4 for i in range(count)],
    }
    types = {"text": pa.string(), "int64": pa.int64(), "int32": pa.int32(), "double": pa.float64(), "float": pa.float32()}
    table = pa.table({"audio": pa.array(audio, AUDIO), **{n: pa.array(v, types[n]) for n, v in values.items()}})
    pages = {"row_group_size": 10, "data_page_size": 64, "write_batch_size": 3}
    for codec in ["none", "snappy", "gzip", "brotli", "lz4", "zstd"]:
        version, has_dictionary = ("2.0", False) if codec in ["none", "zstd", "gzip"] else ("1.0", True)
        pq.write_table(table, f"{HERE}/{codec}.parquet", compression=codec, data_page_version=version,
                       use_dictionary=has_dictionary, **pages)
    pq.write_table(table, f"{HERE}/delta.parquet", use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"})
    expected = {**values, "bytes": [one and one["bytes"] and one["bytes"].hex() for one in audio]}
    with open(f"{HERE}/expected.json", "w") as file:
        json.dump(expected, file, ensure_ascii=False)
        file.write("\n")


if __name__ == "__main__":
    os.makedirs(f"{HERE}/dataset/data", exist_ok=True)
    columns()
    shard("train-00000-of-00002", [(0.1, "turn it off", 0, 7), (0.2, "Turn it on", 1, 7), (0.15, "", 1, 8)],
          row_group_size=2)
    shard("train-00001-of-00002", [(0.1, "never", 0, 9), (None, "lost", 0, 9), (0.1, "yes", -1, 9)], compression="zstd")
    shard("validation-00000-of-00001", [(0.1, "go on", 1, 10)], data_page_version="2.0", use_dictionary=False)

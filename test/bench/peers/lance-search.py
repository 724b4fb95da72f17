"""Top-10 queries of LanceDB's exact search over raw float32 vectors, with a filter on the source: one JSON line of milliseconds.

Usage: lance-search.py FOLDER COUNT DIMENSIONS. FOLDER holds vectors.f32 and queries.f32; the table is made beside them.
"""
import json
import os
import sys
import time

import lancedb
import numpy as np
import pyarrow as pa

folder, count, dimensions = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
vectors = np.fromfile(os.path.join(folder, "vectors.f32"), dtype=np.float32)
queries = np.fromfile(os.path.join(folder, "queries.f32"), dtype=np.float32).reshape(-1, dimensions)
table = lancedb.connect(os.path.join(folder, "lance")).create_table(
    "chunks",
    pa.table(
        {
            "id": pa.array(np.arange(count)),
            "source": pa.array([f"source-{n % 5}" for n in range(count)]),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors), dimensions),
        }
    ),
)
plain, filtered = [], []
for query in list(queries[:3]) + list(queries):
    for series, where in ((plain, None), (filtered, "source <> 'source-4'")):
        started = time.perf_counter()
        search = table.search(query).metric("cosine").limit(10).select(["id", "_distance"])
        (search.where(where, prefilter=True) if where else search).to_list()
        series.append((time.perf_counter() - started) * 1000)
print(json.dumps({"plain": plain[3:], "filtered": filtered[3:]}))

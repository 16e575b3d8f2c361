"""One Python peer as a process: ready, go, the seconds, and the end with its standard input.

`parallel_bulk` of opensearch-py over a server-side cursor of psycopg 3: at the defaults of both ("usual"), with larger
fetches and chunks and orjson ("tuned"), or so with JSON that PostgreSQL makes ("json").
"""

import json
import os
import sys
import time

import orjson
import psycopg
from opensearchpy import JSONSerializer, OpenSearch
from opensearchpy.helpers import parallel_bulk
from psycopg.rows import dict_row, tuple_row


class OrjsonSerializer(JSONSerializer):
    def dumps(self, data):
        if isinstance(data, str):
            return data
        return orjson.dumps(data, default=self.default).decode()

    def loads(self, s):
        return orjson.loads(s)


def usual(order):
    client = OpenSearch(order["search_url"])

    def actions(cursor):
        for row in cursor:
            yield {"_index": order["index"], "_id": str(row["id"]), "_source": row}

    return client, dict_row, None, actions, {}


def tuned(order):
    def actions(cursor):
        for row in cursor:
            yield {"_index": order["index"], "_id": str(row["id"]), "_source": row}

    return fast_client(order), dict_row, order["itersize"], actions, bulk_settings(order)


def made_by_postgresql(order):
    def actions(cursor):
        for key, document in cursor:
            yield {"index": {"_index": order["index"], "_id": key}}, document

    # A row comes as its action and its document's JSON already.
    settings = {**bulk_settings(order), "expand_action_callback": lambda pair: pair}
    return fast_client(order), tuple_row, order["itersize"], actions, settings


def fast_client(order):
    return OpenSearch(
        order["search_url"],
        serializer=OrjsonSerializer(),
        pool_maxsize=order["thread_count"],
    )


def bulk_settings(order):
    return {"chunk_size": order["chunk_size"], "thread_count": order["thread_count"]}


WAYS = {"usual": usual, "tuned": tuned, "json": made_by_postgresql}


def work(order, connection, parts):
    client, row_factory, itersize, actions, settings = parts
    start = time.perf_counter()
    with connection.cursor(name="bench", row_factory=row_factory) as cursor:
        if itersize is not None:
            cursor.itersize = itersize
        cursor.execute(order["query"])
        for _ok, _item in parallel_bulk(client, actions(cursor), **settings):
            pass  # a refused document raises
    return time.perf_counter() - start


def main():
    order = json.loads(os.environ["BENCH_ORDER"])
    connection = psycopg.connect(order["database_url"], options="-c timezone=UTC")
    parts = WAYS[order["way"]](order)
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps({"seconds": work(order, connection, parts)}), flush=True)
    sys.stdin.read()


main()

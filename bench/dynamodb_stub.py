"""A table on loopback that answers at once: what DynamoDB's client costs can be told from what DynamoDB costs.

    python -m bench.dynamodb_stub

Says its port on standard output and ends with its standard input. It keeps items by their keys, cuts answers to
queries at 1 MB as DynamoDB does, and carries out what the requests that are measured ask for; conditions are taken to
hold, since nothing else writes.
"""

import json
import socketserver
import sys
import threading
from collections import defaultdict
from typing import Any

from bench.dynamodb_costs import PAGE_BYTES, item_bytes

Item = dict[str, Any]


class Tables:
    """Items by table and key."""

    def __init__(self) -> None:
        self._tables: dict[str, dict[tuple[str, str], Item]] = defaultdict(dict)

    def answer(self, operation: str, request: Item) -> Item:
        """What DynamoDB would answer."""
        match operation:
            case "GetItem":
                item = self._get(request["TableName"], request["Key"])
                return {} if item is None else {"Item": item}
            case "PutItem":
                self._put(request["TableName"], request["Item"])
                return {}
            case "BatchGetItem":
                wanted = request["RequestItems"].items()
                return {"Responses": {table: self._get_all(table, each["Keys"]) for table, each in wanted}}
            case "BatchWriteItem":
                for table, puts in request["RequestItems"].items():
                    for put in puts:
                        self._put(table, put["PutRequest"]["Item"])
                return {"UnprocessedItems": {}}
            case "TransactWriteItems":
                for write in request["TransactItems"]:
                    self._write(write)
                return {}
            case "Query":
                return self._query(request)
        raise NotImplementedError(operation)

    def _get(self, table: str, key: Item) -> Item | None:
        return self._tables[table].get((key["pk"]["S"], key["sk"]["S"]))

    def _get_all(self, table: str, keys: list[Item]) -> list[Item]:
        return [item for key in keys if (item := self._get(table, key)) is not None]

    def _put(self, table: str, item: Item) -> None:
        self._tables[table][item["pk"]["S"], item["sk"]["S"]] = item

    def _write(self, write: Item) -> None:
        if put := write.get("Put"):
            self._put(put["TableName"], put["Item"])
        elif update := write.get("Update"):
            names = update.get("ExpressionAttributeNames", {})
            item = self._get(update["TableName"], update["Key"]) or dict(update["Key"])
            for assignment in update["UpdateExpression"].removeprefix("SET ").split(", "):
                name, value = assignment.split(" = ")
                item[names.get(name, name)] = update["ExpressionAttributeValues"][value]
            self._put(update["TableName"], item)

    def _query(self, request: Item) -> Item:
        values = request["ExpressionAttributeValues"]
        partition, prefix = values[":pk"]["S"], values.get(":sk", {"S": ""})["S"]
        after = request.get("ExclusiveStartKey", {"sk": {"S": ""}})["sk"]["S"]
        table = self._tables[request["TableName"]]
        forward = request.get("ScanIndexForward", True)
        keys = sorted((key for key in table if key[0] == partition and key[1].startswith(prefix)), reverse=not forward)
        page: list[Item] = []
        size_bytes = 0
        for key in keys:
            if after and (key[1] <= after if forward else key[1] >= after):
                continue
            size_bytes += item_bytes(table[key])
            if page and size_bytes > PAGE_BYTES:
                last = {name: page[-1][name] for name in ("pk", "sk")}
                return {"Items": page, "Count": len(page), "LastEvaluatedKey": last}
            page.append(table[key])
        return {"Items": page, "Count": len(page)}


class _Connection(socketserver.StreamRequestHandler):
    tables = Tables()
    disable_nagle_algorithm = True

    def handle(self) -> None:
        while self.rfile.readline():
            headers = {}
            while line := self.rfile.readline().strip():
                name, _, value = line.decode("latin-1").partition(":")
                headers[name.lower()] = value.strip()
            request = json.loads(self.rfile.read(int(headers["content-length"])))
            body = json.dumps(self.tables.answer(headers["x-amz-target"].rpartition(".")[2], request)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)


def main() -> None:
    """Serve until standard input ends."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Connection) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()

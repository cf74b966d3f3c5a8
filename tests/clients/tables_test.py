"""The official Python client, unmodified, against an endpoint: MTABLE_CONNECTION_STRING names it.

With MTABLE_TABLES, names of tables that migrate, tests use these, empty, in place of new ones.
"""

import os
import unittest
import uuid
from datetime import datetime, timezone

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.data.tables import (
    EdmType,
    EntityProperty,
    TableServiceClient,
    TableTransactionError,
    UpdateMode,
)

connection = os.environ["MTABLE_CONNECTION_STRING"]
migrating = os.environ.get("MTABLE_TABLES", "").split()


class Tables(unittest.TestCase):
    made = 0

    def setUp(self):
        Tables.made += 1
        self.service = TableServiceClient.from_connection_string(connection)
        self.name = (migrating or [f"Python{os.getpid()}n{Tables.made}"])[0]
        self.table = self.service.create_table_if_not_exists(self.name)
        for row in self.table.list_entities():
            self.table.delete_entity(row)

    def tearDown(self):
        if not migrating:
            self.service.delete_table(self.name)
        self.service.close()

    def test_tables(self):
        self.assertRaises(ResourceExistsError, self.service.create_table, self.name)
        found = self.service.query_tables(f"TableName eq '{self.name}'")
        self.assertEqual([table.name for table in found], [self.name])

    def test_values(self):
        entity = {
            "PartitionKey": "p",
            "RowKey": "it's é \U0001f422",
            "yes": True,
            "small": 7,
            "large": EntityProperty(-(2**63), EdmType.INT64),
            "real": 1.5,
            "whole": 2.0,
            "when": datetime(2013, 8, 22, 1, 12, 6, tzinfo=timezone.utc),
            "guid": uuid.UUID("00112233-4455-6677-8899-aabbccddeeff"),
            "bytes": b"\x00\x7f\xff",
            "text": "a\x00b",
        }
        self.table.create_entity(entity)
        found = self.table.get_entity("p", entity["RowKey"])
        for name, value in entity.items():
            expected = value.value if isinstance(value, EntityProperty) else value
            back = found[name]
            self.assertEqual(back.value if isinstance(back, EntityProperty) else back, expected)
        for text in ("large lt 0", "real gt 1 and not (whole ne 2.0)", "guid eq @guid"):
            rows = self.table.query_entities(text, parameters={"guid": entity["guid"]})
            self.assertEqual(len(list(rows)), 1)

    def test_conditions(self):
        entity = {"PartitionKey": "p", "RowKey": "r", "a": 1, "b": 1}
        self.table.create_entity(entity)
        self.assertRaises(ResourceExistsError, self.table.create_entity, entity)
        first = self.table.get_entity("p", "r")
        self.table.update_entity({**entity, "a": 2}, UpdateMode.REPLACE)
        condition = {"etag": first.metadata["etag"],
                     "match_condition": MatchConditions.IfNotModified}
        with self.assertRaises((ResourceModifiedError, HttpResponseError)) as caught:
            self.table.update_entity(entity, UpdateMode.MERGE, **condition)
        self.assertEqual(caught.exception.status_code, 412)
        self.table.delete_entity("p", "r")
        self.assertRaises(ResourceNotFoundError, self.table.get_entity, "p", "r")

    def test_transactions(self):
        rows = [{"PartitionKey": "p", "RowKey": f"{i:03}", "n": i} for i in range(99)]
        self.table.submit_transaction([("upsert", row) for row in rows])
        pages = self.table.list_entities(results_per_page=30).by_page()
        self.assertEqual([len(list(page)) for page in pages], [30, 30, 30, 9])
        with self.assertRaises(TableTransactionError) as caught:
            self.table.submit_transaction([
                ("delete", rows[0]),
                ("create", rows[1]),
            ])
        self.assertEqual(caught.exception.index, 1)
        self.assertEqual(caught.exception.error_code, "EntityAlreadyExists")
        self.assertEqual(self.table.get_entity("p", "000")["n"], 0)


if __name__ == "__main__":
    unittest.main()

"""A vendor's client in Python, on code that the stock tools generate from the contract.

    python -m grpc_tools.protoc -I ../../proto --python_out=. --grpc_python_out=. tocsin/v1/ingest.proto
    TOCSIN_KEY=... python send.py [address] [readings]

What it shows: a stream with many messages under way, acknowledgements, RETRY_LATER, and what to do after a broken
stream: connect again with a growing, jittered pause, and send again whatever was not acknowledged.
"""

import collections
import math
import os
import queue
import random
import sys
import time
import uuid

import grpc
from tocsin.v1 import ingest_pb2 as pb
from tocsin.v1 import ingest_pb2_grpc

WINDOW = 200  # messages sent and not yet acknowledged
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
FINAL = {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.FAILED_PRECONDITION,
}


def now_ms():
    return int(time.time() * 1000)


class Sender:
    """Sends messages (lists of items) until each item is answered for good."""

    def __init__(self, channel, key):
        self.stub = ingest_pb2_grpc.IngestServiceStub(channel)
        self.metadata = [("authorization", f"Bearer {key}")]
        self.waiting = collections.deque()  # messages to send
        self.under_way = collections.deque()  # messages sent, oldest first
        self.counts = collections.Counter()
        self.not_before = 0.0

    def describe(self, sensors):
        request = pb.DescribeRequest(sensors=sensors)
        return self.stub.Describe(request, metadata=self.metadata, timeout=30).registered

    def send_all(self, messages):
        self.waiting.extend(messages)
        pause = SHORTEST_PAUSE_S
        while self.waiting or self.under_way:
            answered = sum(self.counts.values())
            try:
                self._one_stream()
            except grpc.RpcError as error:
                if error.code() in FINAL:
                    raise
                print(f"connecting again: {error.details()}", file=sys.stderr)
            # Whatever was not acknowledged goes again, first, with the same identities.
            self.waiting.extendleft(reversed(self.under_way))
            self.under_way.clear()
            if sum(self.counts.values()) > answered:
                pause = SHORTEST_PAUSE_S
            elif self.waiting:
                # Decorrelated jitter: many clients lose one server at the same moment.
                pause = min(LONGEST_PAUSE_S, random.uniform(SHORTEST_PAUSE_S, pause * 3))
                time.sleep(pause)

    def _one_stream(self):
        outgoing = queue.Queue()  # None ends the stream
        sequence = 0
        responses = self.stub.Publish(iter(outgoing.get, None), metadata=self.metadata)

        def fill():
            nonlocal sequence
            while self.waiting and len(self.under_way) < WINDOW and time.time() >= self.not_before:
                items = self.waiting.popleft()
                sequence += 1
                self.under_way.append(items)
                outgoing.put(pb.PublishRequest(sequence=sequence, sent_at_ms=now_ms(), items=items))

        time.sleep(max(0.0, self.not_before - time.time()))
        fill()
        try:
            for response in responses:
                for result in response.results:
                    self._take(self.under_way.popleft(), result)
                if not self.under_way:
                    time.sleep(max(0.0, self.not_before - time.time()))
                fill()
                if not self.waiting and not self.under_way:
                    outgoing.put(None)
        finally:
            outgoing.put(None)

    def _take(self, items, result):
        again = []
        for run in result.items:
            name = pb.Disposition.Name(run.disposition).removeprefix("DISPOSITION_")
            if run.disposition == pb.DISPOSITION_RETRY_LATER:
                again.extend(items[run.first_item : run.first_item + run.items])
                self.not_before = max(self.not_before, time.time() + run.retry_after_ms / 1000 * random.uniform(1, 1.5))
                continue
            self.counts[name] += run.items
            if run.disposition == pb.DISPOSITION_QUARANTINED:
                reason = pb.QuarantineReason.Name(run.reason).removeprefix("QUARANTINE_REASON_")
                print(f"refused: {reason}: {run.explanation}", file=sys.stderr)
        if again:
            self.waiting.appendleft(again)
        for gap in result.gaps:
            print(f"the server is missing {gap.first_sequence} to {gap.last_sequence}", file=sys.stderr)


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50051"
    readings = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    key = os.environ.get("TOCSIN_KEY")
    if not key:
        sys.exit("Set TOCSIN_KEY to the key that you got from the operator.")
    boot = str(uuid.uuid4())  # this process counts its readings from 1
    with grpc.insecure_channel(address) as channel:
        sender = Sender(channel, key)
        sender.describe(
            [
                pb.SensorDescription(
                    sensor="example-riser-2",
                    site=os.environ.get("TOCSIN_SITE", "riverside-tower"),
                    channel="methane",
                    unit="%LEL",
                    low=0,
                    high=100,
                )
            ]
        )
        sender.send_all(
            [
                pb.Item(
                    reading=pb.Reading(
                        sensor="example-riser-2",
                        boot=boot,
                        sequence=n,
                        observed_at_ms=now_ms(),
                        value=1 + math.sin(n / 10) / 2,
                    )
                )
            ]
            for n in range(1, readings + 1)
        )
    print(", ".join(f"{n} {name.lower()}" for name, n in sorted(sender.counts.items())))


if __name__ == "__main__":
    main()

"""A proxy between clients and a broker that cuts connections where it hurts: an answer is withheld whose request has been
done, or a request is torn in the middle. By seeded dice, in the order of the connections."""

import random
import socket
import threading

# How many bytes of answers, or of requests, a connection lives for: long enough to get through the first exchanges
# (about 1,000 bytes of answers), short enough that each connection carries only some tens of batches.
ANSWER_BYTES = (1_200, 2_500)
REQUEST_BYTES = (3_000, 20_000)


class Proxy:
    """Listens at `address` from the start; lets everything through until `cutting` is set."""

    def __init__(self, seed):
        self.upstream = None  # HOST:PORT of the broker
        self.cutting = False
        self.withheld = 0  # connections that were cut with an answer of the broker on its way
        self.torn = 0  # connections that were cut in the middle of what the client sent
        self.chance = random.Random(seed)
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        """Accepts no more; what runs ends with its peers."""
        # Closing alone would not wake the thread that accepts.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        """A connection to the broker for each that comes."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                host, port = self.upstream.rsplit(":", 1)
                broker = socket.create_connection((host, int(port)))
            except OSError:
                # The broker is down, and looks so from here.
                client.close()
                continue
            for peer in (client, broker):
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            spare_answers = self.chance.random() < 0.5
            answers = None if spare_answers else self.chance.randrange(*ANSWER_BYTES)
            requests = self.chance.randrange(*REQUEST_BYTES) if spare_answers else None
            for pump in [(broker, client, answers, "withheld"), (client, broker, requests, "torn")]:
                threading.Thread(target=self.pass_on, args=pump, daemon=True).start()

    def pass_on(self, source, sink, life, cut):
        """Bytes from one side to the other, until one of them ends or the connection has lived through its bytes."""
        try:
            while data := source.recv(1 << 16):
                if life is not None and self.cutting:
                    life -= len(data)
                    if life <= 0:
                        with self.lock:
                            setattr(self, cut, getattr(self, cut) + 1)
                        # Of an answer nothing arrives; of a request one half.
                        sink.sendall(data[: len(data) // 2] if cut == "torn" else b"")
                        return
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for peer in (source, sink):
                try:
                    peer.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the other direction was faster
                peer.close()

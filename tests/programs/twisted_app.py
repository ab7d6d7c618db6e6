"""A program on Twisted's reactor, which is on the loop: each thing it does prints a line."""

from __future__ import annotations

import asyncio
import os
import sys

from twisted.internet import asyncioreactor

import groundup

asyncioreactor.install(groundup.new_event_loop())

from twisted.internet import defer, endpoints, protocol, reactor, task, threads, utils  # noqa: E402

BODY = os.urandom(1 << 20)


class Echo(protocol.Protocol):
    def dataReceived(self, data):
        self.transport.write(data)


class Collector(protocol.Protocol):
    """Sends a body and collects as many bytes."""

    def connectionMade(self):
        self.received = b""
        self.complete = defer.Deferred()
        self.transport.write(BODY)

    def dataReceived(self, data):
        self.received += data
        if len(self.received) == len(BODY):
            self.transport.loseConnection()

    def connectionLost(self, reason):
        self.complete.callback(self.received)


class Reverser(protocol.DatagramProtocol):
    def datagramReceived(self, datagram, address):
        self.transport.write(datagram[::-1], address)


class Asker(protocol.DatagramProtocol):
    def startProtocol(self):
        self.answer = defer.Deferred()

    def datagramReceived(self, datagram, address):
        self.answer.callback(datagram)


async def echo_over(server_endpoint, client_endpoint):
    listener = await server_endpoint.listen(protocol.Factory.forProtocol(Echo))
    client = client_endpoint(listener.getHost())
    collector = await endpoints.connectProtocol(client, Collector())
    assert await collector.complete == BODY
    await defer.maybeDeferred(listener.stopListening)


async def main():
    await task.deferLater(reactor, 0)  # the first part runs before the loop
    assert isinstance(asyncio.get_running_loop(), groundup.EventLoop)
    await echo_over(
        endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1"),
        lambda host: endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", host.port),
    )
    print("tcp")
    path = os.path.join(sys.argv[1], "socket")
    await echo_over(
        endpoints.UNIXServerEndpoint(reactor, path),
        lambda host: endpoints.UNIXClientEndpoint(reactor, path),
    )
    print("unix")
    port = reactor.listenUDP(0, Reverser(), interface="127.0.0.1")
    asker = Asker()
    asking = reactor.listenUDP(0, asker, interface="127.0.0.1")
    asker.transport.write(b"question", ("127.0.0.1", port.getHost().port))
    assert await asker.answer == b"noitseuq"
    await port.stopListening()
    await asking.stopListening()
    print("udp")
    assert await threads.deferToThread(sum, range(100)) == 4950
    output, _, code = await utils.getProcessOutputAndValue("/bin/sh", ["-c", "echo said; exit 3"])
    assert (output, code) == (b"said\n", 3)
    print("threads and processes")
    ticks = []
    ticking = task.LoopingCall(ticks.append, 1)
    ticking.start(0.001)
    await task.deferLater(reactor, 0.05)
    ticking.stop()
    assert len(ticks) > 5
    late = reactor.callLater(60, print, "late")
    late.cancel()
    slept = asyncio.ensure_future(asyncio.sleep(0.001, "slept"))
    assert await defer.Deferred.fromFuture(slept) == "slept"
    print("timers and futures")


def end(reason):
    print(reason or "waiting for the end")
    if reason:
        reactor.stop()


reactor.callWhenRunning(lambda: defer.ensureDeferred(main()).addBoth(end))
reactor.addSystemEventTrigger("during", "shutdown", print, "shut down")
reactor.run()

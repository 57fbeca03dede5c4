"""A relay client at work for smtprcd: takes jobs over the channel, and has a lane for each destination.

It ends when the channel does: whatever was on its way breaks off before its end, for nobody would know what
became of it.
"""

import asyncio
import socket
from pathlib import Path

from paperpath.config.loader import parse_document
from paperpath.config.tables import Configuration
from paperpath.dns.resolver import Resolver
from paperpath.dns.servers import find_servers
from paperpath.mail.reply import Reply
from paperpath.remote.channel import Channel
from paperpath.remote.contact import Contact, Guide
from paperpath.remote.hops import HopFinder
from paperpath.remote.jobs import Drain, FromClient, Hello, Job, Settings, read_from_scheduler
from paperpath.remote.lane import Lane, Ways
from paperpath.remote.mta_sts.fetching import Fetcher
from paperpath.remote.mta_sts.policies import Policies
from paperpath.remote.mta_sts.rule import MtaStsRule
from paperpath.remote.mta_sts.store import PolicyStore
from paperpath.remote.route import find_route
from paperpath.remote.tls_policy import make_security_finder
from paperpath.service.descriptors import allow_descriptors
from paperpath.service.log import Log

_MOST_LANES_KEPT = 1000
_DESCRIPTORS_BESIDE = 64  # files of content are open only while they are read


class Worker:
    """One relay client."""

    def __init__(self, log: Log) -> None:
        """Wait for the configuration."""
        self._log = log
        self._lanes: dict[str, Lane] = {}
        self._is_draining = False
        self._ended = asyncio.Event()
        self._configuration: Configuration | None = None
        self._resolver: Resolver | None = None
        self._policies: Policies | None = None

    async def work(self, connection: socket.socket) -> None:
        """Work until smtprcd closes the channel."""
        self._channel = await Channel.open(connection, self._take, self._end)
        self._channel.send(Hello())
        await self._ended.wait()
        if self._policies is not None:
            await self._policies.close()
        if self._resolver is not None:
            await self._resolver.close()

    def _take(self, record: bytes) -> None:
        value = read_from_scheduler(record)
        match value:
            case Job():
                self._find_lane(value.destination).add(value)
                if self._is_draining:
                    self._find_lane(value.destination).drain()
            case Settings(path, text):
                self._configure(parse_document(text, Path(path)).configuration)
            case Drain():
                self._is_draining = True
                for lane in self._lanes.values():
                    lane.drain()

    def _end(self, trouble: str) -> None:
        if trouble:
            self._log.error("the channel to smtprcd broke", reason=trouble)
        self._ended.set()

    def _configure(self, configuration: Configuration) -> None:
        """Have new connections made as a configuration says."""
        remote = configuration.remote
        allow_descriptors(remote.most_transactions + _DESCRIPTORS_BESIDE)
        hello = remote.hello or configuration.hostname
        if self._resolver is None:  # [dns] waits for a restart
            self._resolver = Resolver(find_servers(configuration.dns), configuration.dns.timeout_s)
        finder = HopFinder(configuration.hostname, remote, self._resolver)
        self._policies = self._make_policies(configuration, finder)
        sts = MtaStsRule(self._policies.find, remote.mta_sts_ca_file, self._log)
        security = make_security_finder(remote, self._resolver, sts.find)
        guide = Guide(finder.find, security.find, self._tell_overlooked)
        self._contact = Contact(remote, hello, guide, self._is_wanted)
        self._configuration = configuration

    def _make_policies(self, configuration: Configuration, finder: HopFinder) -> Policies:
        assert self._resolver is not None
        fetcher = Fetcher(finder.find_addresses, configuration.remote.mta_sts_ca_file)
        store = PolicyStore(configuration.mta_sts_folder, self._log)
        return Policies(self._resolver, fetcher, store, self._log)

    def _tell_overlooked(self, reply: Reply) -> None:
        self._log.warning("what a mail exchanger lacks is overlooked", reason=reply)

    def _is_wanted(self) -> bool:
        return self._channel.is_whole

    def _find_lane(self, destination: str) -> Lane:
        lane = self._lanes.get(destination)
        if lane is None:
            if len(self._lanes) >= _MOST_LANES_KEPT:
                self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.is_empty}
            lane = self._lanes[destination] = Lane(lambda: self._find_ways(destination), self._report)
        return lane

    def _find_ways(self, destination: str) -> Ways:
        assert self._configuration is not None  # smtprcd sends it before any job
        configuration = self._configuration
        return Ways(find_route(destination, configuration), self._contact, configuration.remote)

    def _report(self, value: FromClient) -> None:
        self._channel.send(value)

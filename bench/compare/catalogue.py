"""Which scenarios there are, with what each measures, how much of it, and what is wanted of ours."""

from bench import ours, postfix
from bench.compare import samples, stages
from bench.compare.accepting import Accepting
from bench.compare.draining import Draining
from bench.compare.pacing import Pacing
from bench.compare.restarting import Restarting
from bench.compare.scenario import Bar, Entrant, Scenario
from bench.compare.stages import Stage
from bench.compare.submitting import spell
from bench.compare.throughput import Throughput
from bench.compare.yardsticks import DISK, TOOLS, Disk, Tools
from bench.source import Load

KIB = 1024
TUNED = postfix.TUNED_NAME


def enter(stage: Stage, name: str) -> Entrant:
    """A side under load by smtp-source, or a yardstick."""
    if name == DISK:
        return Disk(stage.folder)
    if name == TOOLS:
        return Tools(stage)
    relay = stage.relay(name)
    return Throughput(
        relay, lambda load: stage.spell(relay, load), stage.folder / "source.log", stage.timeout
    )


def enter_submission(stage: Stage, name: str) -> Entrant:
    """A side under load by people."""
    relay = stage.relay(name)
    log = stage.folder / "source.log"
    return Throughput(relay, lambda load: spell(relay, load, stage.password), log, stage.timeout)


def enter_accepting(stage: Stage, name: str) -> Entrant:
    """A side that delivers nothing, or a yardstick."""
    if name == TOOLS:
        return Tools(stage)
    relay = stage.relay(name)
    return Accepting(relay, lambda load: stage.spell(relay, load), stage.folder / "source.log", stage.timeout)


def loads(messages: int, length: int, sessions: tuple[int, ...], recipients: int = 1) -> tuple[Load, ...]:
    """With kept connections, then with one for each message."""
    return tuple(
        Load(messages, length, count, kept, recipients) for kept in (True, False) for count in sessions
    )


def scenarios(quick: bool) -> tuple[Scenario, ...]:
    """All of them, in their order; `quick`: small, to see that everything works."""

    def size(full: int, small: int) -> int:
        return small if quick else full

    both = (samples.ACCEPTED, samples.DELIVERED)
    by_delivery = (samples.DELIVERED, samples.ACCEPTED)
    many = (50,) if quick else (20, 50)
    return (
        Scenario(
            "maildir",
            "relay in to Maildir",
            "one mailbox; delivered: until the last message lies in new/",
            stages.MAILBOX,
            by_delivery,
            loads(size(5000, 300), 4096, many),
            enter,
            yardsticks=(DISK,),
            bars=(Bar(4.0, TUNED), Bar(0.6, DISK)),
        ),
        Scenario(
            "large",
            "messages of 100 KiB to Maildir",
            "as maildir, with greater messages",
            stages.MAILBOX,
            by_delivery,
            loads(size(1000, 50), 100 * KIB, (50,)),
            enter,
            yardsticks=(DISK,),
        ),
        Scenario(
            "latency",
            "from the final dot to the 250, at 80 % load",
            "to Maildir, at four fifths of what each side delivers at most (bench/compare/pacing.py)",
            stages.MAILBOX,
            (
                samples.P99_MS,
                samples.MEDIAN_MS,
                samples.P999_MS,
                samples.FLUSH_MS,
                samples.ABOVE_MS,
                samples.PACE,
            ),
            (Load(size(10_000, 300), 4096, 50, kept=True),),
            Pacing,
            bars=(Bar(20.0, metric=samples.ABOVE_MS),),
        ),
        Scenario(
            "recipients",
            "50 recipients to 50 Maildirs",
            "each message goes to 50 mailboxes; delivered counts files, accepted messages",
            stages.MAILBOXES,
            by_delivery,
            loads(size(200, 6), 4096, (20,), recipients=50),
            enter,
        ),
        Scenario(
            "relay",
            "relay in to relay out",
            "all goes on to one smtp-sink; delivered: until the last message is there",
            stages.SINK,
            by_delivery,
            loads(size(5000, 300), 4096, many),
            enter,
            bars=(Bar(5.0, TUNED, kept=True), Bar(3.5, TUNED, kept=False)),
        ),
        Scenario(
            "relay-large",
            "messages of 100 KiB to relay out",
            "as relay, with greater messages",
            stages.SINK,
            by_delivery,
            loads(size(1000, 50), 100 * KIB, (50,)),
            enter,
        ),
        Scenario(
            "relay-recipients",
            "50 recipients to relay out",
            "one transaction in, and one out, with 50 recipients; messages are counted",
            stages.SINK,
            by_delivery,
            loads(size(1000, 50), 4096, (20,), recipients=50),
            enter,
        ),
        Scenario(
            "submission",
            "submission to Maildir",
            "people log in over STARTTLS once a connection, and send messages with fourteen fields",
            stages.SUBMISSION,
            by_delivery,
            tuple(load for load in loads(size(5000, 300), 4096, (*many, 100)) if load.kept),
            enter_submission,
        ),
        Scenario(
            "accept",
            "accepting alone",
            "nothing can be delivered meanwhile (bench/compare/holding.py), and all is afterwards",
            stages.HOLDING,
            both[:1],
            loads(size(5000, 300), 4096, many),
            enter_accepting,
            yardsticks=(TOOLS,),
            sides=(ours.NAME, TUNED, postfix.EXPERT_NAME),
            bars=(Bar(8.0, TUNED, kept=True), Bar(6.0, TUNED, kept=False), Bar(0.45, TOOLS)),
        ),
        Scenario(
            "drain",
            "drain after a dead destination returns",
            "how the queues are filled: bench/compare/filling.py; what it leaves of the disk's space",
            stages.ALONE,
            (samples.DELIVERED, samples.DRAIN_S, samples.FULL_MIB, samples.AFTER_MIB),
            (Load(size(200_000, 2000), 4096, 0, kept=True),),
            Draining,
            rounds=2,
        ),
        Scenario(
            "restart",
            "restart with a full queue",
            "how the queues are filled: bench/compare/filling.py; all of it is due",
            stages.ALONE,
            (samples.SERVES_S, samples.FIRST_S),
            (Load(size(500_000, 2000), 4096, 0, kept=True),),
            Restarting,
        ),
    )

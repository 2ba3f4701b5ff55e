"""What tests say of the clients that ask while what they ask goes from node to node (see dataplane.py)."""

import itertools
from collections.abc import Iterable

from .dataplane import Client, Question
from .testing import LabTest
from .timeline import Event


class StreamTest(LabTest):
    began = 0  # what was asked before does not count

    def begin_to_count(self, clients: Iterable[Client]) -> None:
        self.began = self.lab.timeline.note("lab", "began").at
        self.lab.timeline.until("they have asked for half a second", lambda: all(
            client.asked_for_ms(self.began) > 500.0 for client in clients), timeout=10)

    def last_words(self, clients: Iterable[Client]) -> int:
        """A moment: what was asked until then has been answered, for answers come in the order of the questions."""
        moment = self.lab.timeline.note("lab", "last_words").at
        self.lab.timeline.until("later questions are answered", lambda: all(
            client.was_answered(moment) for client in clients), timeout=10)
        return moment

    def delivered(self, address: str, name: str, since: int) -> Event:
        """From then on the router sends it there."""
        return self.lab.timeline.wait(f"the router sends {address} to {name}", lambda e: e.kind == "delivered" and
                                      (e.fields["address"], e.fields["to"]) == (address, name), since=since, timeout=20)

    def is_answered_by(self, name: str, clients: Iterable[Client], since: int) -> None:
        self.lab.timeline.until(f"{name} answers", lambda: all(
            client.answered_by(name, since) for client in clients), timeout=20)

    def assert_heard(self, client: Client, owners: list[str], gaps: list[tuple[int, int]]) -> list[Question]:
        """Each of `owners` has answered every question of its turn, once; what nobody has was asked in a gap between two.
        Returns what was asked in none of the gaps."""
        questions = self.questions(client)
        turns = [(who, list(group)) for who, group in itertools.groupby(
            (question for question in questions if question.answers), key=lambda question: question.answers[0])]
        self.assertEqual([who for who, _ in turns], owners)
        for who, turn in turns:
            self.assertEqual(len(turn), turn[-1].number - turn[0].number + 1, f"{who} has missed none in its turn")
        return self.assert_answered_beside(questions, gaps)

    def questions(self, client: Client) -> list[Question]:
        """All of them, none of which was answered twice. The client asks no more."""
        questions = [question for question in client.finish() if question.asked >= self.began]
        self.assertEqual([question for question in questions if len(question.answers) > 1], [], "nothing is answered twice")
        return questions

    def assert_answered_beside(self, questions: list[Question], gaps: list[tuple[int, int]]) -> list[Question]:
        beside = [question for question in questions
                  if not any(begin <= question.sent and question.asked <= end for begin, end in gaps)]
        self.assertEqual([question for question in beside if not question.answers], [], f"not one of {gaps}")
        return beside

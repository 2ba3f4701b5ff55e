"""VRRPv2 with the simple password of RFC 2338, keepalived's auth_type PASS."""

from dialect import nonzero
from lab.testing import LabTest, main
from version2 import Version2


class Version2WithPassword(Version2, LabTest):
    password = "s3cret"

    def test_another_password_is_refused(self) -> None:
        self.keepalived(self.a, 150)
        self.has_address("a", self.vip, timeout=self.seconds(150))
        self.password = "wrong"
        vipd = self.vipd(self.b, 100)
        first = self.lab.advert("vipd hears nobody", "b", since=vipd.started, timeout=self.seconds(100))
        router = vipd.router()
        self.assertEqual(router["state"], "Active")
        self.assertEqual(set(nonzero(router["adverts"]["discarded"])), {"auth_password"})
        self.assertEqual(first.authentication_type, 1)


if __name__ == "__main__":
    main()

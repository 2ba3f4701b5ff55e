"""What the tests with AWS's own command line client share: a cloud, and the client run against it."""

import json
import os
import subprocess
import tempfile
import unittest

from cloudsim import Cloudsim

NODE_A = "i-0aaaaaaaaaaaaaaa1"
AWS = "/usr/bin/aws"


class AwsCliTest(unittest.TestCase):
    """A fresh cloud for each test, whose one IMDS address answers as node-a. `change` makes of the example what a class of
    tests needs."""

    change = None

    def setUp(self):
        topology = None
        if self.change is not None:
            topology = json.loads(subprocess.run([os.environ["CLOUDSIM"], "--example"], capture_output=True, check=True).stdout)
            self.change(topology)
        directory = tempfile.TemporaryDirectory(prefix="cloudsim")
        self.addCleanup(directory.cleanup)
        self.cloud = Cloudsim(os.environ["CLOUDSIM"], directory.name, topology=topology, sts=["127.0.0.1:0"],
                              imds=["127.0.0.1:0=" + NODE_A]).start()
        self.addCleanup(self.cloud.stop)

    def run_service(self, service, url, *arguments, **environment):
        return subprocess.run([AWS, "--endpoint-url", url, "--output", "json", service, *arguments],
                              env=environment or self.cloud.aws_environment(), capture_output=True, text=True, check=False)

    def run_aws(self, *arguments, **environment):
        """The service that the test is about."""
        raise NotImplementedError

    def aws(self, *arguments, **environment):
        done = self.run_aws(*arguments, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments, **environment):
        """What the client prints of a refusal: "An error occurred (CODE) when calling the ACTION operation: TEXT"."""
        done = self.run_aws(*arguments, **environment)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

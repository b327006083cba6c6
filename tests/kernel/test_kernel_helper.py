"""The helper that starts kernels for all other kernel tests."""

import pytest

from nbdurable.testing.kernel import Kernel, KernelDiedError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_kernel_runs_is_interrupted_killed_and_restarted(tmp_path):
    """One kernel can be driven through everything the other tests need."""
    with Kernel(tmp_path, extension=False) as kernel:
        assert kernel.run("print('hi'); 1 + 1").text == "hi\n2\n"
        assert "ZeroDivisionError" in kernel.run("1 / 0").text

        busy = kernel.send("print('on', flush=True)\nwhile True: pass")
        kernel.wait_for(busy, lambda: "on" in busy.text)
        kernel.interrupt()
        assert "KeyboardInterrupt" in kernel.wait(busy).text

        busy = kernel.send("print('on', flush=True)\nwhile True: pass")
        kernel.wait_for(busy, lambda: "on" in busy.text)
        first = kernel.pid
        kernel.kill()
        assert not kernel.alive
        with pytest.raises(KernelDiedError):
            kernel.wait(busy)

        kernel.restart()
        assert kernel.pid != first
        assert kernel.run("'again'").text == "'again'\n"
    assert not kernel.alive


def test_a_cell_that_takes_too_long_ends_with_its_kernel(tmp_path):
    """A wait has a deadline, and nothing keeps running after it."""
    with Kernel(tmp_path, extension=False) as kernel:
        with pytest.raises(TimeoutError, match="so far"):
            kernel.run("while True: pass", timeout_s=0.5)
        assert not kernel.alive

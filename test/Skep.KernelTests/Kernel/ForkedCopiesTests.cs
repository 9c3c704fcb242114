using System.Diagnostics;
using Skep.Kernel.Native;

namespace Skep.KernelTests.Kernel;

public sealed class ForkedCopiesTests
{
    [Fact]
    public void A_child_that_is_still_this_program_is_waited_for()
    {
        // To the kernel a child between fork and exec is another process of the same program.
        var before = TimeProvider.System.GetTimestamp();
        using var child = Process.Start(new ProcessStartInfo(Environment.ProcessPath!, "--help") { RedirectStandardOutput = true })!;
        _ = child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        ForkedCopies.WaitOut();
        Assert.True(HasEnded(child.Id) || TimeProvider.System.GetElapsedTime(before) >= ForkedCopies.Patience);
    }

    [Fact]
    public void A_child_that_has_become_another_program_is_not()
    {
        using var child = Process.Start(new ProcessStartInfo("sleep", "60"))!;
        ForkedCopies.WaitOut();
        Assert.False(HasEnded(child.Id));
        child.Kill();
    }

    // The runtime hears of a child's end a moment later than the kernel knows of it.
    private static bool HasEnded(int process) => !File.Exists($"/proc/{process}/stat") || File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
}

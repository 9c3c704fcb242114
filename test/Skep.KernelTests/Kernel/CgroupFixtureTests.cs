using System.Diagnostics;
using Skep.Testing.Kernel;

namespace Skep.KernelTests.Kernel;

[Collection(Alone.Name)]
public sealed class CgroupFixtureTests
{
    [Fact]
    public void A_group_is_removed_also_when_a_program_was_born_in_it()
    {
        var groups = new CgroupFixture();
        var folder = groups.Create("born");
        using var born = CgroupFixture.Run(folder, () => Process.Start("sleep", "60"))!;
        try
        {
            Assert.Contains($"{born.Id}", File.ReadLines(Path.Combine(folder, "cgroup.procs")));

            groups.Dispose();

            Assert.False(Directory.Exists(folder));
            Assert.False(born.HasExited);
        }
        finally
        {
            born.Kill();
        }
    }
}

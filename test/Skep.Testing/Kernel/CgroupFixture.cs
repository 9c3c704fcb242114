using System.Globalization;

namespace Skep.Testing.Kernel;

/// <summary>
/// Control groups of version 2 for one test, and sockets made in them. A socket belongs to the group that its maker was in, so this
/// process steps into the group for that moment. All are removed when the fixture is disposed.
/// </summary>
public sealed class CgroupFixture : IDisposable
{
    private static readonly Lock s_gate = new();
    private static readonly Lazy<string> s_root = new(FindRoot);
    private static readonly Lazy<string> s_home = new(() => File.ReadLines("/proc/self/cgroup").First(l => l.StartsWith("0::", StringComparison.Ordinal))[3..]);
    private static int s_fixtures;

    private readonly List<string> _made = [];
    private readonly int _number = Interlocked.Increment(ref s_fixtures);

    /// <summary>A new group.</summary>
    public string Create(string name)
    {
        var folder = string.Create(CultureInfo.InvariantCulture, $"{s_root.Value}/kt-{Environment.ProcessId}-{_number}-{name}");
        Directory.CreateDirectory(folder);
        _made.Add(folder);
        return folder;
    }

    /// <summary>Runs <paramref name="body"/> while this process is in the group. Keep it short: other tests' sockets land there too meanwhile.</summary>
    public static T Run<T>(string folder, Func<T> body)
    {
        lock (s_gate)
        {
            var home = s_home.Value;
            Enter(folder);
            try
            {
                return body();
            }
            finally
            {
                Enter(s_root.Value + home);
            }
        }
    }

    public void Dispose()
    {
        var deadline = Environment.TickCount64 + 30_000;
        foreach (var folder in _made)
        {
            while (!Removed(folder))
            {
                SendHome(folder);
                if (Environment.TickCount64 > deadline)
                {
                    throw new InvalidOperationException($"{folder} keeps {string.Join(' ', File.ReadLines(Path.Combine(folder, "cgroup.procs")))}");
                }
            }
        }
    }

    private static bool Removed(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>A program that another test started while this process was in the group was born there and keeps the group from being removed.</summary>
    private static void SendHome(string folder)
    {
        lock (s_gate)
        {
            foreach (var process in File.ReadLines(Path.Combine(folder, "cgroup.procs")))
            {
                try
                {
                    File.WriteAllText(Path.Combine(s_root.Value + s_home.Value, "cgroup.procs"), process);
                }
                catch (IOException)
                {
                    // It has ended meanwhile.
                }
            }
        }

        Thread.Yield();
    }

    private static void Enter(string folder) => File.WriteAllText(Path.Combine(folder, "cgroup.procs"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    private static string FindRoot() => (
        from line in File.ReadLines("/proc/self/mountinfo")
        let halves = line.Split(" - ", 2)
        where halves.Length == 2 && halves[1].StartsWith("cgroup2 ", StringComparison.Ordinal)
        select halves[0].Split(' ')[4]).First();
}

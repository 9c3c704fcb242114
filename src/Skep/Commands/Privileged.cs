namespace Skep.Commands;

/// <summary>Verbs that make namespaces and mounts.</summary>
internal static class Privileged
{
    public static async Task<int> RunAsync(Func<Task> work)
    {
        if (!Environment.IsPrivilegedProcess)
        {
            await Console.Error.WriteLineAsync("skep: this needs root: it makes namespaces, mounts and network devices. Type: sudo ./skep …");
            return ExitCode.NotRoot;
        }

        await work();
        return ExitCode.Ok;
    }
}

using System.Globalization;

namespace Skep.Lab;

/// <summary>
/// A process that cannot be confused with a later one of the same id: it is known by its id and its start time, and signalled and
/// awaited through a descriptor (pidfd_open(2)).
/// </summary>
internal readonly record struct ProcessHandle(int Id, string StartTime)
{
    /// <summary>Reads <c>id start-time</c>; null when the file is not there.</summary>
    public static ProcessHandle? Read(string file)
    {
        try
        {
            var words = File.ReadAllText(file).Split(' ', StringSplitOptions.TrimEntries);
            return words.Length == 2 && int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                ? new ProcessHandle(id, words[1])
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The process that has this id now; null when none has.</summary>
    public static ProcessHandle? Find(int id) => StartTimeOf(id) is { } start ? new ProcessHandle(id, start) : null;

    public void Write(string file) => File.WriteAllText(file, $"{Id} {StartTime}\n");

    public bool IsAlive => StartTimeOf(Id) == StartTime;

    /// <summary>Kills it and returns when it is gone. False when it was gone before.</summary>
    public async Task<bool> KillAsync(CancellationToken cancellationToken)
    {
        var descriptor = LibC.OpenProcess(Id);
        if (descriptor < 0)
        {
            return false;
        }

        try
        {
            // The descriptor is held now, so the id cannot pass to another process between this look and the signal.
            if (!IsAlive)
            {
                return false;
            }

            LibC.Kill(descriptor);
            await WaitAsync(descriptor, cancellationToken);
            return true;
        }
        finally
        {
            LibC.Close(descriptor);
        }
    }

    /// <summary>Returns when the process is gone.</summary>
    public async Task WaitForExitAsync(CancellationToken cancellationToken)
    {
        var descriptor = LibC.OpenProcess(Id);
        if (descriptor < 0)
        {
            return;
        }

        try
        {
            if (IsAlive)
            {
                await WaitAsync(descriptor, cancellationToken);
            }
        }
        finally
        {
            LibC.Close(descriptor);
        }
    }

    private static Task WaitAsync(int descriptor, CancellationToken cancellationToken) => Task.Run(
        () =>
        {
            // The wait is cut into pieces only so that it can be given up.
            while (!LibC.WaitReadable(descriptor, milliseconds: 200))
            {
                cancellationToken.ThrowIfCancellationRequested();
            }
        },
        cancellationToken);

    // proc(5): field 22 of /proc/<id>/stat, counted behind the command's name, which may hold spaces. A zombie counts as gone.
    private static string? StartTimeOf(int id)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return fields[0] is "Z" or "X" ? null : fields[19];
        }
        catch (IOException)
        {
            return null;
        }
    }
}

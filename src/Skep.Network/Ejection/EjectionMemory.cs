using System.Globalization;
using System.Net;

namespace Skep.Network.Ejection;

/// <summary>
/// What was known of backends, in the node's state folder: a daemon that starts again neither trusts a backend anew that refuses nor
/// forgets which ports are served. Losing the file costs that knowledge only, until the next packets tell it again.
/// </summary>
internal sealed class EjectionMemory(string folder)
{
    private readonly string _path = Path.Combine(folder, "backends.txt");

    public IReadOnlyList<Sign> Read()
    {
        try
        {
            return File.Exists(_path) ? [.. File.ReadLines(_path).Select(Parse).OfType<Sign>()] : [];
        }
        catch (IOException)
        {
            return [];
        }
    }

    public void Write(IEnumerable<Sign> signs)
    {
        try
        {
            Directory.CreateDirectory(folder);
            File.WriteAllLines(_path + ".new", signs.Select(Line).Order(StringComparer.Ordinal));
            File.Move(_path + ".new", _path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A full disk; the next change is written again.
        }
    }

    public void Delete() => File.Delete(_path);

    private static string Line(Sign sign) => string.Create(
        CultureInfo.InvariantCulture, $"{(sign.Answers ? "answers" : "refuses")} {sign.Port.Address} {sign.Port.Protocol} {sign.Port.Port}");

    private static Sign? Parse(string line) =>
        line.Split(' ') is [var word, var address, var protocol, var port]
        && IPAddress.TryParse(address, out var parsed)
        && byte.TryParse(protocol, CultureInfo.InvariantCulture, out var number)
        && ushort.TryParse(port, CultureInfo.InvariantCulture, out var portNumber)
            ? new Sign(new BackendPort(parsed, number, portNumber), word == "answers")
            : null;
}

namespace Skep.Network.Probes;

/// <summary>Finds the largest packet that a path carries, by asking for few sizes: all of it, an Ethernet frame, then by halves.</summary>
/// <param name="least">Bytes that are taken to pass; what IPv4 promises is 576, IPv6 1280.</param>
/// <param name="most">Bytes that this node's own link carries.</param>
internal sealed class PathMtuSearch(int least, int most)
{
    private const int Ethernet = 1500;
    private int _passes = Math.Min(least, most);
    private int _fails = most + 1;

    /// <summary>The size to try next; null when the answer is known.</summary>
    public int? Next => _passes + 1 >= _fails ? null
        : _fails > most ? most
        : _fails > Ethernet && _passes < Ethernet ? Ethernet
        : (_passes + _fails) / 2;

    /// <summary>The largest size that passed.</summary>
    public int Found => _passes;

    public void Tried(int size, bool passed)
    {
        if (passed)
        {
            _passes = Math.Max(_passes, size);
        }
        else
        {
            _fails = Math.Min(_fails, size);
        }
    }
}

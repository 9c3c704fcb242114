using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Bpf;

/// <summary>A loaded program, held open by a descriptor; it lives as long as a descriptor or an attachment holds it.</summary>
public sealed class BpfProgram : IDisposable
{
    private const uint TypeSocketAddress = 18;
    private const int LogSize = 256 * 1024;
    private const int Attempts = 5;
    private static readonly byte[] s_license = "Apache-2.0\0"u8.ToArray();

    private readonly SafeFileHandle _descriptor;

    private BpfProgram(SafeFileHandle descriptor, string name, uint id, IReadOnlyList<uint> maps) =>
        (_descriptor, Name, Id, MapIds) = (descriptor, name, id, maps);

    public string Name { get; }

    /// <summary>Its number, which no other program has had since the machine was started.</summary>
    public uint Id { get; }

    /// <summary>The numbers of the maps that it uses.</summary>
    public IReadOnlyList<uint> MapIds { get; }

    internal int Descriptor => (int)_descriptor.DangerousGetHandle();

    /// <summary>Loads a program on socket addresses.</summary>
    /// <param name="maps">The maps that <paramref name="code"/> names.</param>
    /// <exception cref="BpfException">With the verifier's last lines, when it is the verifier that refuses.</exception>
    public static BpfProgram Load(string name, SocketHook hook, BpfCode code, IReadOnlyDictionary<string, BpfMap> maps)
    {
        ArgumentNullException.ThrowIfNull(code);
        ArgumentNullException.ThrowIfNull(maps);
        ulong[] words = [.. code.Words];
        foreach (var reference in code.Maps)
        {
            words[reference.Index] |= (ulong)(uint)maps[reference.Map].Descriptor << 32;
        }

        return TryLoad(name, hook, words, log: null) ?? TryLoad(name, hook, words, new byte[LogSize])!;
    }

    /// <summary>The program of this number; null when it is gone.</summary>
    public static BpfProgram? OpenById(uint id)
    {
        var attributes = new IdAttributes { Id = id };
        var descriptor = BpfNative.TryCall(BpfCommand.ProgramOpenById, ref attributes);
        return descriptor >= 0
            ? Of(new SafeFileHandle(descriptor, ownsHandle: true))
            : Marshal.GetLastPInvokeError() == Errno.ENOENT ? null : throw BpfNative.Failure($"open program {id}");
    }

    public void Dispose() => _descriptor.Dispose();

    // Without a log it is quicker; a refusal is then repeated to hear the reason.
    private static unsafe BpfProgram? TryLoad(string name, SocketHook hook, ulong[] words, byte[]? log)
    {
        fixed (ulong* w = words)
        fixed (byte* license = s_license, l = log)
        {
            var attributes = new ProgramLoadAttributes
            {
                Type = TypeSocketAddress,
                ExpectedAttachType = (uint)hook,
                Words = w,
                Length = (uint)words.Length,
                License = license,
                Log = l,
                LogLevel = log is null ? 0u : 1u,
                LogSize = (uint)(log?.Length ?? 0),
            };
            BpfNames.Write(name, attributes.Name);
            // The verifier gives up when a signal comes, and the runtime sends itself some.
            for (var attempt = 1; ; attempt++)
            {
                var descriptor = BpfNative.TryCall(BpfCommand.ProgramLoad, ref attributes);
                if (descriptor >= 0)
                {
                    return Of(new SafeFileHandle(descriptor, ownsHandle: true));
                }

                if (Marshal.GetLastPInvokeError() != Errno.EAGAIN || attempt == Attempts)
                {
                    return log is null ? null : throw BpfNative.Failure($"load program {name}", Told(log));
                }
            }
        }
    }

    private static string Told(byte[] log)
    {
        var lines = Encoding.UTF8.GetString(log).TrimEnd('\0', '\n').Split('\n');
        return lines is [""] ? "" : "\n" + string.Join('\n', lines.TakeLast(12));
    }

    private static unsafe BpfProgram Of(SafeFileHandle descriptor)
    {
        const int MostMaps = 64;
        var maps = stackalloc uint[MostMaps];
        var info = new ProgramInfo { MapCount = MostMaps, Maps = maps };
        var attributes = new InfoAttributes { Descriptor = (int)descriptor.DangerousGetHandle(), Length = (uint)sizeof(ProgramInfo), Info = &info };
        BpfNative.Call(BpfCommand.Info, ref attributes, "ask about a program");
        return new BpfProgram(
            descriptor, BpfNames.Read(info.Name), info.Id, new ReadOnlySpan<uint>(maps, (int)Math.Min(info.MapCount, MostMaps)).ToArray());
    }
}

using System.Buffers;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Skep.Kernel.Native;

namespace Skep.Kernel.Bpf;

/// <summary>
/// A map, held open by a descriptor. It lives as long as a descriptor or a program holds it: disposing this object lets go of the
/// descriptor only. Keys and values are bytes of the sizes that <see cref="Shape"/> tells. Every refusal is a <see cref="BpfException"/>.
/// </summary>
public sealed class BpfMap : IDisposable
{
    private readonly SafeFileHandle _descriptor;

    private BpfMap(SafeFileHandle descriptor, BpfMapShape shape, uint id) => (_descriptor, Shape, Id) = (descriptor, shape, id);

    public BpfMapShape Shape { get; }

    /// <summary>Its number, which no other map has had since the machine was started.</summary>
    public uint Id { get; }

    internal SafeFileHandle Handle => _descriptor;
    internal int Descriptor => (int)_descriptor.DangerousGetHandle();

    public static BpfMap Create(BpfMapShape shape) => Create(shape, inner: null);

    /// <summary>A map of maps that look like <paramref name="inner"/>.</summary>
    public static unsafe BpfMap Create(BpfMapShape shape, BpfMap? inner)
    {
        ArgumentNullException.ThrowIfNull(shape);
        var attributes = new MapCreateAttributes
        {
            Type = (uint)shape.Kind,
            KeySize = (uint)shape.KeySize,
            ValueSize = (uint)shape.ValueSize,
            Capacity = (uint)shape.Capacity,
            Flags = (shape.InMemory ? BpfNative.BPF_F_MMAPABLE : 0) | (shape.OnDemand ? BpfNative.BPF_F_NO_PREALLOC : 0),
            InnerMap = inner?.Descriptor ?? 0,
        };
        BpfNames.Write(shape.Name, attributes.Name);
        return Of(BpfNative.Open(BpfCommand.MapCreate, ref attributes, $"make map {shape.Name}"));
    }

    /// <summary>The map of this number; null when it is gone.</summary>
    public static BpfMap? OpenById(uint id)
    {
        var attributes = new IdAttributes { Id = id };
        var descriptor = BpfNative.TryCall(BpfCommand.MapOpenById, ref attributes);
        return descriptor >= 0
            ? Of(new SafeFileHandle(descriptor, ownsHandle: true))
            : Marshal.GetLastPInvokeError() == Errno.ENOENT ? null : throw BpfNative.Failure($"open map {id}");
    }

    /// <summary>Copies the value of a key; false when there is none.</summary>
    public unsafe bool TryGet(ReadOnlySpan<byte> key, Span<byte> value)
    {
        Check(key.Length, Shape.KeySize);
        Check(value.Length, Shape.ValueSize);
        fixed (byte* k = key, v = value)
        {
            var attributes = new ElementAttributes { Map = Descriptor, Key = k, Value = v };
            return Done(BpfNative.TryCall(BpfCommand.MapLookup, ref attributes), "read");
        }
    }

    public unsafe void Set(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Check(key.Length, Shape.KeySize);
        Check(value.Length, Shape.ValueSize);
        fixed (byte* k = key, v = value)
        {
            var attributes = new ElementAttributes { Map = Descriptor, Key = k, Value = v };
            BpfNative.Call(BpfCommand.MapUpdate, ref attributes, $"write map {Shape.Name}");
        }
    }

    /// <summary>False when there was no such key.</summary>
    public unsafe bool Remove(ReadOnlySpan<byte> key)
    {
        Check(key.Length, Shape.KeySize);
        fixed (byte* k = key)
        {
            var attributes = new ElementAttributes { Map = Descriptor, Key = k };
            return Done(BpfNative.TryCall(BpfCommand.MapDelete, ref attributes), "delete from");
        }
    }

    /// <summary>Every element of a hash, key and value one after the other in one block of bytes each.</summary>
    public byte[] Entries()
    {
        // Room for all that the map could hold is lent: most maps are nearly empty and read some times a second.
        var (keys, values) = (ArrayPool<byte>.Shared.Rent(Shape.Capacity * Shape.KeySize), ArrayPool<byte>.Shared.Rent(Shape.Capacity * Shape.ValueSize));
        try
        {
            var read = Read(keys, values);
            var width = Shape.KeySize + Shape.ValueSize;
            var entries = new byte[read * width];
            for (var i = 0; i < read; i++)
            {
                keys.AsSpan(i * Shape.KeySize, Shape.KeySize).CopyTo(entries.AsSpan(i * width));
                values.AsSpan(i * Shape.ValueSize, Shape.ValueSize).CopyTo(entries.AsSpan((i * width) + Shape.KeySize));
            }

            return entries;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(keys);
            ArrayPool<byte>.Shared.Return(values);
        }
    }

    public void Dispose() => _descriptor.Dispose();

    // Returns how many elements there are.
    private unsafe int Read(byte[] keys, byte[] values)
    {
        // The kernel keeps its place in the first four bytes for hashes.
        Span<byte> place = stackalloc byte[8];
        var (read, begun, more) = (0, false, true);
        fixed (byte* k = keys, v = values, p = place)
        {
            while (more && read < Shape.Capacity)
            {
                var attributes = new BatchAttributes
                {
                    Map = Descriptor, From = begun ? p : null, Next = p, Count = (uint)(Shape.Capacity - read),
                    Keys = k + (read * Shape.KeySize), Values = v + (read * Shape.ValueSize),
                };
                // "No such entry" tells the end, with the last elements.
                more = Done(BpfNative.TryCall(BpfCommand.MapLookupBatch, ref attributes), "list");
                read += (int)attributes.Count;
                begun = true;
            }
        }

        return read;
    }

    private bool Done(int answer, string verb) =>
        answer >= 0 || (Marshal.GetLastPInvokeError() == Errno.ENOENT ? false : throw BpfNative.Failure($"{verb} map {Shape.Name}"));

    private static unsafe BpfMap Of(SafeFileHandle descriptor)
    {
        MapInfo info = default;
        var attributes = new InfoAttributes { Descriptor = (int)descriptor.DangerousGetHandle(), Length = (uint)sizeof(MapInfo), Info = &info };
        BpfNative.Call(BpfCommand.Info, ref attributes, "ask about a map");
        var shape = new BpfMapShape(BpfNames.Read(info.Name), (BpfMapKind)info.Type, (int)info.KeySize, (int)info.ValueSize, (int)info.Capacity)
        {
            InMemory = (info.Flags & BpfNative.BPF_F_MMAPABLE) != 0,
            OnDemand = (info.Flags & BpfNative.BPF_F_NO_PREALLOC) != 0,
        };
        return new BpfMap(descriptor, shape, info.Id);
    }

    private static void Check(int length, int expected) => ArgumentOutOfRangeException.ThrowIfNotEqual(length, expected);
}
